package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

const lineBytesMax = 16 << 20

func produceCommand(args []string) error {
	set := flags("produce")
	bootstrap := set.String("bootstrap", "", "")
	topic := set.String("topic", "", "")
	codec := set.String("codec", "none", "")
	idempotent := set.Bool("idempotent", false, "")
	// The flag package wants --idempotent=true, we are given --idempotent true.
	if err := set.Parse(joined(args)); err != nil {
		return err
	}
	config := settings()
	if err := config.Producer.Compression.UnmarshalText([]byte(*codec)); err != nil {
		return err
	}
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Return.Successes = true
	config.Producer.Idempotent = *idempotent
	// With more than one in flight, sarama does not keep the order when it sends again.
	config.Net.MaxOpenRequests = 1

	messages, err := readMessages(*topic)
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer([]string{*bootstrap}, config)
	if err != nil {
		return err
	}
	if err := producer.SendMessages(messages); err != nil {
		if failures, ok := err.(sarama.ProducerErrors); ok && len(failures) > 0 {
			return failures[0].Err
		}
		return err
	}
	for index, message := range messages {
		tell(acknowledged{"acknowledged", index, message.Partition, message.Offset})
	}
	return producer.Close()
}

func readMessages(topic string) ([]*sarama.ProducerMessage, error) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	var messages []*sarama.ProducerMessage
	for lines.Scan() {
		var each record
		if err := json.Unmarshal(lines.Bytes(), &each); err != nil {
			return nil, err
		}
		message := &sarama.ProducerMessage{
			Topic:     topic,
			Partition: each.Partition,
			Timestamp: time.UnixMilli(each.Timestamp),
		}
		if each.Key != nil {
			message.Key = sarama.ByteEncoder(each.Key)
		}
		if each.Value != nil {
			message.Value = sarama.ByteEncoder(each.Value)
		}
		for _, pair := range each.Headers {
			value, err := headerValue(pair[1])
			if err != nil {
				return nil, err
			}
			name, _ := pair[0].(string)
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(name), Value: value})
		}
		messages = append(messages, message)
	}
	return messages, lines.Err()
}

func headerValue(value any) ([]byte, error) {
	switch text := value.(type) {
	case nil:
		return nil, nil
	case string:
		return base64.StdEncoding.DecodeString(text)
	}
	return nil, fmt.Errorf("a header value is base64 or null, not %v", value)
}

// joined makes --name value one argument each.
func joined(args []string) []string {
	var result []string
	for index := 0; index < len(args); index++ {
		if strings.HasPrefix(args[index], "--") && index+1 < len(args) {
			result = append(result, args[index]+"="+args[index+1])
			index++
			continue
		}
		result = append(result, args[index])
	}
	return result
}
