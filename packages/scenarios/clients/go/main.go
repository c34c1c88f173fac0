// sarama as a driver (../README.md).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"github.com/IBM/sarama"
)

const module = "github.com/IBM/sarama"

// bytes are base64 or null, as encoding/json writes []byte.
type record struct {
	Event     string   `json:"event,omitempty"`
	Topic     string   `json:"topic,omitempty"`
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Timestamp int64    `json:"timestamp"`
	Key       []byte   `json:"key"`
	Value     []byte   `json:"value"`
	Headers   [][2]any `json:"headers"`
}

type acknowledged struct {
	Event     string `json:"event"`
	Index     int    `json:"index"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

type partitions struct {
	Event      string   `json:"event"`
	Partitions [][2]any `json:"partitions"`
}

type said struct {
	Event   string `json:"event"`
	Client  string `json:"client,omitempty"`
	Library string `json:"library,omitempty"`
	Message string `json:"message,omitempty"`
}

var output sync.Mutex

// tell prints one event; claims are read by a goroutine each.
func tell(event any) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		tell(said{Event: "failed", Message: err.Error()})
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a command: version, produce, consume")
	}
	switch args[0] {
	case "version":
		return version()
	case "produce":
		return produceCommand(args[1:])
	case "consume":
		return consumeCommand(args[1:])
	}
	return fmt.Errorf("no command %q", args[0])
}

func version() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("no build information")
	}
	for _, each := range info.Deps {
		if each.Path == module {
			tell(said{Event: "version", Client: each.Version, Library: info.GoVersion})
			return nil
		}
	}
	return fmt.Errorf("%s is not in the build information", module)
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.ClientID = "sarama-driver"
	return config
}

func flags(name string) *flag.FlagSet {
	return flag.NewFlagSet(name, flag.ContinueOnError)
}
