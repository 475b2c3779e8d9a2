#!/usr/bin/env python3
"""Writes mosquitto's ACL that allows what the template's policy allows. usage: acl.py TEMPLATE

mosquitto knows a client by its certificate's name, %u, where AWS knows its thing. Receiving covers subscribing there. The user
"subscriber" is the cloud: rules, shadows, jobs.
"""

import pathlib
import sys

from template import Stack

ACCESS = {"iot:Publish": "write", "iot:Receive": "read"}


def listed(value):
    return value if isinstance(value, list) else [value]


def topic_of(resource):
    """arn:...:topic/a/${thing}/b/* as a/%u/b/#"""
    topic = resource.split(":topic/", 1)[1].replace("${iot:Connection.Thing.ThingName}", "%u")
    topic = "/".join("+" if part == "*" else part for part in topic.split("/"))
    return topic[:-1] + "#" if topic.endswith("/+") else topic


def lines(policy):
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow", "a mosquitto ACL cannot deny"
        for action in listed(statement["Action"]):
            if action in ACCESS:
                for resource in listed(statement["Resource"]):
                    yield f"pattern {ACCESS[action]} {topic_of(resource)}"


def main():
    stack = Stack(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    (policy,) = stack.resources("AWS::IoT::Policy").values()
    print("user subscriber\ntopic readwrite glimpse/#\ntopic readwrite $aws/#\n")
    print(*lines(policy["PolicyDocument"]), sep="\n")


if __name__ == "__main__":
    main()
