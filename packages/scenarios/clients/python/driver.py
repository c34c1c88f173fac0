"""confluent-kafka as a driver (../README.md)."""

import argparse
import base64
import json
import queue
import sys
import threading

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

POLL_SECONDS = 0.05


def tell(event, **fields):
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def encoded(data):
    return None if data is None else base64.b64encode(data).decode("ascii")


def decoded(text):
    return None if text is None else base64.b64decode(text)


def version():
    library, _ = confluent_kafka.libversion()
    tell("version", client=confluent_kafka.__version__, library=f"librdkafka {library}")


def produce(options):
    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            "compression.type": options.codec,
            "enable.idempotence": options.idempotent == "true",
            "acks": "all",
            "linger.ms": 5,
        }
    )
    failures = []

    def on_delivery(index):
        def report(error, message):
            if error is not None:
                failures.append(str(error))
            else:
                tell(
                    "acknowledged",
                    index=index,
                    partition=message.partition(),
                    offset=message.offset(),
                )

        return report

    for index, line in enumerate(sys.stdin):
        record = json.loads(line)
        producer.produce(
            options.topic,
            partition=record["partition"],
            timestamp=record["timestamp"],
            key=decoded(record["key"]),
            value=decoded(record["value"]),
            headers=[(name, decoded(value)) for name, value in record["headers"]],
            on_delivery=on_delivery(index),
        )
    producer.flush()
    if failures:
        raise RuntimeError(failures[0])


def commands_of(lines):
    """Lines of the input as they come; the end of it is a wish to leave."""
    commands = queue.Queue()

    def read():
        for line in lines:
            commands.put(line.strip())
        commands.put("leave")

    threading.Thread(target=read, daemon=True).start()
    return commands


def consume(options):
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": options.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": options.session_timeout_ms,
            "heartbeat.interval.ms": options.heartbeat_ms,
            "partition.assignment.strategy": options.assignor,
            "check.crcs": True,
        }
    )

    def places(partitions):
        return [[each.topic, each.partition] for each in partitions]

    consumer.subscribe(
        options.topics.split(","),
        on_assign=lambda _, partitions: tell("assigned", partitions=places(partitions)),
        on_revoke=lambda _, partitions: tell("revoked", partitions=places(partitions)),
    )
    commands = commands_of(sys.stdin)
    while True:
        message = consumer.poll(POLL_SECONDS)
        if message is not None:
            if message.error() is not None:
                raise KafkaException(message.error())
            _, timestamp = message.timestamp()
            tell(
                "record",
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                timestamp=timestamp,
                key=encoded(message.key()),
                value=encoded(message.value()),
                headers=[[name, encoded(value)] for name, value in message.headers() or []],
            )
        try:
            command = commands.get_nowait()
        except queue.Empty:
            continue
        if command == "commit":
            if options.commit == "asked":
                commit(consumer)
            tell("committed")
        elif command == "leave":
            break
    consumer.close()
    tell("left")


def commit(consumer):
    try:
        for each in consumer.commit(asynchronous=False):
            if each.error is not None:
                raise KafkaException(each.error)
    except KafkaException as error:
        # Nothing has been read since the last time.
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


def arguments():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version")
    producing = commands.add_parser("produce")
    for name in ("bootstrap", "topic", "codec", "idempotent"):
        producing.add_argument(f"--{name}", required=True)
    consuming = commands.add_parser("consume")
    for name in ("bootstrap", "topics", "group", "commit"):
        consuming.add_argument(f"--{name}", required=True)
    for name in ("session-timeout-ms", "heartbeat-ms"):
        consuming.add_argument(f"--{name}", required=True, type=int)
    consuming.add_argument("--assignor", default="range,roundrobin")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        if options.command == "version":
            version()
        elif options.command == "produce":
            produce(options)
        else:
            consume(options)
    except Exception as error:  # whatever it is, the one who started us has to hear of it
        tell("failed", message=f"{type(error).__name__}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
