"""The stand-in for AWS IoT's rules: what the template's rule makes of a message, by AWS's documentation."""

import json
import unittest
from decimal import Decimal

from needs import SCRIPTS
from rules import attribute, item
from sql import Rule, SqlError
from template import Stack

STACK = Stack((SCRIPTS / "glimpse.yaml").read_text(encoding="utf-8"))
(PAYLOAD,) = STACK.resources("AWS::IoT::TopicRule").values()
RULE = Rule(PAYLOAD["TopicRulePayload"]["Sql"])
TOPIC = "glimpse/v1/pi-1/telemetry"
# docs/telemetry.md's record, shortened
RECORD = {"time": 1732262400, "quality": "GOOD", "hostname": "rpiedge", "value": 12.5, "device": "pi-1", "time_ms": 1732262400123,
          "model": {"quantized": True}, "predictions": [{"index": 7, "label": "umbrella", "probability": 0.931235}],
          "system": {"temperature_c": None, "throttled": []}}


class TheRule(unittest.TestCase):
    def test_writes_every_field_and_when_it_expires(self):
        self.assertEqual(item(RULE, TOPIC, json.dumps(RECORD)), {
            "time": {"N": "1732262400"}, "quality": {"S": "GOOD"}, "hostname": {"S": "rpiedge"}, "value": {"N": "12.5"},
            "device": {"S": "pi-1"}, "time_ms": {"N": "1732262400123"}, "model": {"M": {"quantized": {"BOOL": True}}},
            "predictions": {"L": [{"M": {"index": {"N": "7"}, "label": {"S": "umbrella"}, "probability": {"N": "0.931235"}}}]},
            "system": {"M": {"temperature_c": {"NULL": True}, "throttled": {"L": []}}},
            "expires": {"N": "1734854400"}})  # 30 days of 86400 s later

    def test_how_long_is_a_parameter(self):
        (payload,) = Stack((SCRIPTS / "glimpse.yaml").read_text(encoding="utf-8"), KeepDays=1).resources("AWS::IoT::TopicRule").values()
        made = item(Rule(payload["TopicRulePayload"]["Sql"]), TOPIC, json.dumps(RECORD))
        self.assertEqual(made["expires"], {"N": "1732348800"})

    def test_a_device_writes_under_its_own_name_alone(self):
        self.assertIsNone(item(RULE, "glimpse/v1/pi-2/telemetry", json.dumps(RECORD)))
        self.assertIsNone(item(RULE, TOPIC, json.dumps({**RECORD, "device": "pi-2"})))
        self.assertIsNone(item(RULE, TOPIC, '{"time": 1}'))

    def test_listens_to_records_of_all_devices(self):
        self.assertEqual(RULE.filter, "glimpse/v1/+/telemetry")

    def test_keys_are_the_tables(self):
        (table,) = STACK.resources("AWS::DynamoDB::Table").values()
        made = item(RULE, TOPIC, json.dumps(RECORD))
        for entry in table["AttributeDefinitions"]:
            self.assertEqual(list(made[entry["AttributeName"]]), [entry["AttributeType"]])
        self.assertIn(table["TimeToLiveSpecification"]["AttributeName"], made)

    def test_what_is_no_record_is_an_error(self):
        for payload in ("", "[]", "1", "{", "not JSON"):
            with self.assertRaises(ValueError):
                item(RULE, TOPIC, payload)


class Sql(unittest.TestCase):
    def apply(self, sql, payload=None, topic="a/b/c"):
        return Rule(sql).apply(payload or {"color": "red", "temperature": 50}, topic)

    def test_examples_of_the_documentation(self):
        for sql, expected in (
                ("SELECT * FROM 'a/b'", {"color": "red", "temperature": 50}),
                ("SELECT color AS my_color, temperature as fahrenheit FROM 'a/b'", {"my_color": "red", "fahrenheit": 50}),
                ("SELECT *, 15 as speed FROM 'a/b'", {"color": "red", "temperature": 50, "speed": 15}),
                ("SELECT color AS rgb FROM 'a/b' WHERE temperature = 50", {"rgb": "red"}),
                ("SELECT color AS rgb FROM 'a/b' WHERE temperature <> 50", None),
                ("SELECT temperature + 2 * 3 AS a, (temperature + 2) * 3 AS b, temperature - 1 - 1 AS c FROM 'x'", {"a": 56, "b": 156, "c": 48}),
                ("SELECT topic() AS whole, topic(2) AS part FROM 'x'", {"whole": "a/b/c", "part": "b"}),
                ("SELECT nothing + 1 AS a, color + 1 AS b, topic(9) AS c FROM 'x'", {}),
                ("SELECT * FROM 'x' WHERE nothing = nothing", None)):
            self.assertEqual(self.apply(sql), expected, sql)

    def test_nested_keys(self):
        self.assertEqual(self.apply("SELECT color.red AS r, color.blue.a AS b FROM 'x'", {"color": {"red": 255, "blue": 1}}), {"r": 255})

    def test_what_it_does_not_know_it_does_not_guess(self):
        for sql in ("SELECT color FROM 'x'", "SELECT avg(color) AS a FROM 'x'", "SELECT * FROM x", "SELECT * FROM 'x' WHERE a > 1",
                    "SELECT * FROM 'x' WHERE a = 1 AND b = 2", "SELECT a / 2 AS b FROM 'x'", "INSERT", "SELECT (a AS b FROM 'x'"):
            with self.assertRaises(SqlError, msg=sql):
                Rule(sql)


class Attributes(unittest.TestCase):
    def test_true_is_no_number_and_decimals_are_exact(self):
        self.assertEqual([attribute(value) for value in (True, 1, Decimal("0.1"), "", None)],
                         [{"BOOL": True}, {"N": "1"}, {"N": "0.1"}, {"S": ""}, {"NULL": True}])


if __name__ == "__main__":
    unittest.main()
