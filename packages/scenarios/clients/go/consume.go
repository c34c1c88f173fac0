package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// member keeps the running session, for a commit that is asked for from outside it.
type member struct {
	commits bool
	mutex   sync.Mutex
	session sarama.ConsumerGroupSession
}

func consumeCommand(args []string) error {
	set := flags("consume")
	bootstrap := set.String("bootstrap", "", "")
	topics := set.String("topics", "", "")
	group := set.String("group", "", "")
	commit := set.String("commit", "asked", "")
	sessionMs := set.Int("session-timeout-ms", 0, "")
	heartbeatMs := set.Int("heartbeat-ms", 0, "")
	assignor := set.String("assignor", "range", "")
	if err := set.Parse(joined(args)); err != nil {
		return err
	}
	config := settings()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Return.Errors = true
	config.Consumer.Group.Session.Timeout = time.Duration(*sessionMs) * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = time.Duration(*heartbeatMs) * time.Millisecond
	strategy, err := strategyNamed(*assignor)
	if err != nil {
		return err
	}
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}

	client, err := sarama.NewConsumerGroup([]string{*bootstrap}, *group, config)
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	handler := &member{commits: *commit == "asked"}
	failures := make(chan error, 1)
	go func() {
		for err := range client.Errors() {
			fmt.Fprintln(os.Stderr, err)
			// A commit that failed has no other way to be heard of.
			select {
			case failures <- err:
			default:
			}
		}
	}()
	go handler.obey(leave, failures)

	// A session ends with each rebalance.
	for ctx.Err() == nil {
		if err := client.Consume(ctx, strings.Split(*topics, ","), handler); err != nil {
			return err
		}
	}
	if err := client.Close(); err != nil {
		return err
	}
	tell(said{Event: "left"})
	return nil
}

func strategyNamed(name string) (sarama.BalanceStrategy, error) {
	switch name {
	case "range":
		return sarama.NewBalanceStrategyRange(), nil
	case "roundrobin":
		return sarama.NewBalanceStrategyRoundRobin(), nil
	case "sticky":
		return sarama.NewBalanceStrategySticky(), nil
	}
	return nil, fmt.Errorf("no assignor %q", name)
}

// obey carries out what the lines of the input say; their end is a wish to leave.
func (m *member) obey(leave func(), failures <-chan error) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch strings.TrimSpace(lines.Text()) {
		case "commit":
			if err := m.commit(failures); err != nil {
				tell(said{Event: "failed", Message: err.Error()})
				os.Exit(1)
			}
			tell(said{Event: "committed"})
		case "leave":
			leave()
			return
		}
	}
	leave()
}

func (m *member) commit(failures <-chan error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if !m.commits || m.session == nil {
		return nil
	}
	m.session.Commit()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	m.session = session
	m.mutex.Unlock()
	tell(partitions{"assigned", claimed(session)})
	return nil
}

func (m *member) Cleanup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	m.session = nil
	m.mutex.Unlock()
	tell(partitions{"revoked", claimed(session)})
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		event := record{
			Event:     "record",
			Topic:     message.Topic,
			Partition: message.Partition,
			Offset:    message.Offset,
			Timestamp: message.Timestamp.UnixMilli(),
			Key:       message.Key,
			Value:     message.Value,
			Headers:   [][2]any{},
		}
		for _, each := range message.Headers {
			event.Headers = append(event.Headers, [2]any{string(each.Key), base64OrNull(each.Value)})
		}
		// Marked first: a commit that is asked for because of this line contains it.
		session.MarkMessage(message, "")
		tell(event)
	}
	return nil
}

func claimed(session sarama.ConsumerGroupSession) [][2]any {
	places := [][2]any{}
	for topic, numbers := range session.Claims() {
		for _, number := range slices.Sorted(slices.Values(numbers)) {
			places = append(places, [2]any{topic, number})
		}
	}
	return places
}

func base64OrNull(value []byte) any {
	if value == nil {
		return nil
	}
	return base64.StdEncoding.EncodeToString(value)
}
