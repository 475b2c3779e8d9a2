#!/usr/bin/env python3
"""AWS IoT's rules engine, for one rule: SQL, topic filter, table and action are read out of the template.

Makes the template's table, subscribes, and puts what comes into the table as the DynamoDBv2 action does. One line a record on
standard output; what fails goes to standard error, as to the rule's error action.
"""

import argparse
import http.client
import json
import pathlib
import signal
import subprocess
import sys
from decimal import Decimal

from sql import Rule
from template import Stack


class DynamoDb:
    """As much of DynamoDB's API as a rule needs. The stand-in wants to see a signature and does not check it."""

    def __init__(self, port):
        self.port = port

    def call(self, operation, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)  # kept, it would be closed after five idle seconds
        connection.request("POST", "/", json.dumps(body), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}", "X-Amz-Date": "20000101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=rehearsal/20000101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, "
                             "Signature=0"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise OSError(f"DynamoDB refused {operation}: {text}")
        return json.loads(text)


def attribute(value):
    """A JSON value as DynamoDB types it."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, Decimal)):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [attribute(item) for item in value]}
    return {"M": {key: attribute(item) for key, item in value.items()}}


def item(rule, topic, payload):
    """What the DynamoDBv2 action puts for a message: a column for each key. None: the rule's WHERE does not hold."""
    record = json.loads(payload, parse_float=Decimal)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    chosen = rule.apply(record, topic)
    return None if chosen is None else {key: attribute(value) for key, value in chosen.items()}


def make_table(database, stack):
    (table,) = stack.resources("AWS::DynamoDB::Table").values()
    expiry = table.pop("TimeToLiveSpecification", None)  # DynamoDB sets it by another call, and dynalite has none
    assert expiry, "the template's table has no TTL"
    database.call("CreateTable", table)


def subscriber(folder, port, *filters):
    return subprocess.Popen(
        ["stdbuf", "-oL", "mosquitto_sub", "-h", "localhost", "-p", str(port), "--cafile", folder / "ca.crt", "--cert", folder / "subscriber.crt",
         "--key", folder / "subscriber.key", "-i", "rules", "-q", "1", "-d", "-F", "MESSAGE %t %p",
         *(word for one in filters for word in ("-t", one))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")


def run(rule, database, table, topic, payload):
    """One message through the rule and its action, or its error action."""
    try:
        values = item(rule, topic, payload)
        if values is not None:
            database.call("PutItem", {"TableName": table, "Item": values})
            print(f"put {values['device']['S']} {values['time_ms']['N']}", flush=True)
    except (OSError, ValueError, KeyError) as problem:
        print(f"rule error: {topic}: {problem}: {payload[:200]}", file=sys.stderr, flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--template", type=pathlib.Path, required=True)
    options.add_argument("--broker", type=pathlib.Path, required=True, help="the folder of scripts/broker.sh")
    options.add_argument("--port", type=int, required=True, help="the broker's")
    options.add_argument("--dynamodb", type=int, required=True, help="the port of dynamodb.js")
    options = options.parse_args()

    stack = Stack(options.template.read_text(encoding="utf-8"))
    ((name, payload_of_rule),) = ((rule["RuleName"], rule["TopicRulePayload"]) for rule in stack.resources("AWS::IoT::TopicRule").values())
    basic_ingest = f"$aws/rules/{name}/"
    rule = Rule(payload_of_rule["Sql"])
    (table,) = (action["DynamoDBv2"]["PutItem"]["TableName"] for action in payload_of_rule["Actions"])
    database = DynamoDb(options.dynamodb)
    make_table(database, stack)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    last = "without a word"
    client = subscriber(options.broker, options.port, rule.filter, basic_ingest + "#")
    try:
        for line in client.stdout:
            if line.startswith("Subscribed"):
                print(f"ready: {payload_of_rule['Sql']}", flush=True)
            elif line.startswith("MESSAGE "):
                topic, payload = line.rstrip("\n").split(" ", 2)[1:]
                run(rule, database, table, topic.removeprefix(basic_ingest), payload)  # topic() does not have it either
            else:
                last = line.strip()
    finally:
        client.kill()  # told to end twice, by the terminal and by us, it may wait for ever
        client.wait()
    sys.exit(f"the subscriber ended: {last}")


if __name__ == "__main__":
    main()
