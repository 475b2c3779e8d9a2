"""Reads a CloudFormation template, and says what its functions come to in an account. Only the functions that ours use."""

import re

import yaml

ACCOUNT = {"AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "eu-central-1"}
SHORT = {"Ref": "Ref", "Condition": "Condition", "Sub": "Fn::Sub", "GetAtt": "Fn::GetAtt", "Equals": "Fn::Equals", "Not": "Fn::Not"}


class Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: its short functions, no aliases, dates are text, a key only once."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"CloudFormation takes no YAML aliases: {self.peek_event().start_mark}")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} is there twice: {node.start_mark}")
        return super().construct_mapping(node, deep)


def _function(loader, suffix, node):
    if suffix not in SHORT:
        raise yaml.YAMLError(f"!{suffix} is not known here: {node.start_mark}")
    value = loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {SHORT[suffix]: value}


Loader.add_multi_constructor("!", _function)
Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)


def load(text):
    return yaml.load(text, Loader)


class Stack:
    """A template under a stack's name with these parameters."""

    def __init__(self, text, name="glimpse", **parameters):
        self.template = load(text)
        defaults = {key: entry.get("Default") for key, entry in self.template.get("Parameters", {}).items()}
        self.values = {**defaults, **ACCOUNT, "AWS::StackName": name, **parameters}

    def resource(self, name):
        """The properties of a resource, or None where its condition does not hold."""
        entry = self.template["Resources"][name]
        if "Condition" in entry and not self.value(self.template["Conditions"][entry["Condition"]]):
            return None
        return self.value(entry["Properties"])

    def resources(self, kind):
        names = [name for name, entry in self.template["Resources"].items() if entry["Type"] == kind]
        return {name: found for name in names if (found := self.resource(name)) is not None}

    def value(self, thing):
        if isinstance(thing, list):
            return [self.value(item) for item in thing]
        if not isinstance(thing, dict):
            return thing
        if len(thing) == 1:
            (key, argument), = thing.items()
            if key in SHORT.values():
                return self.call(key, argument)
        return {key: self.value(item) for key, item in thing.items()}

    def call(self, function, argument):
        if function == "Ref":
            return self.reference(argument)
        if function == "Fn::Sub":
            # ${!x} is a policy's own variable ${x}
            return re.sub(r"\$\{([^}]*)\}", lambda found: "${" + found[1][1:] + "}" if found[1].startswith("!")
                          else str(self.reference(found[1])), argument)
        if function == "Fn::GetAtt":
            return f"{argument[0]}.{argument[1]}"
        if function == "Fn::Equals":
            return self.value(argument[0]) == self.value(argument[1])
        if function == "Fn::Not":
            return not self.value(argument[0])
        if function == "Condition":
            return self.value(self.template["Conditions"][argument])
        raise ValueError(function)

    def reference(self, name):
        if name in self.values:
            return self.values[name]
        properties = self.template["Resources"][name]["Properties"]  # KeyError: nothing of that name
        own = [value for key, value in properties.items() if key in ("TableName", "LogGroupName", "ThingName", "PolicyName", "RuleName", "TemplateName")]
        return self.value(own[0]) if own else name
