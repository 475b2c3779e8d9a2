"""AWS IoT SQL of version 2016-03-23, as much of it as glimpse.yaml's rule uses. Anything else is refused, not guessed.

https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html
"""

import re
from decimal import Decimal

UNDEFINED = object()  # a key that the payload has not, and what is computed from one

_WORDS = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^']*')|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign><>|[-+*=(),]))")


class SqlError(Exception):
    pass


class Rule:
    """filter: the MQTT topic filter that the rule listens to."""

    def __init__(self, sql):
        clauses = re.fullmatch(r"\s*SELECT\s+(.+?)\s+FROM\s+'([^']+)'(?:\s+WHERE\s+(.+?))?\s*", sql, re.S)
        if not clauses:
            raise SqlError(f"not SELECT ... FROM '...' [WHERE ...]: {sql}")
        select, self.filter, where = clauses.groups()
        self.columns = _Parser(select).columns()
        self.where = _Parser(where).whole() if where else None

    def apply(self, payload, topic):
        """What the rule's action gets of a JSON object published to a topic; None where WHERE does not hold."""
        if self.where and self.where(payload, topic) is not True:
            return None
        result = {}
        for name, expression in self.columns:
            value = expression(payload, topic)
            if name is None:
                result.update(value)
            elif value is not UNDEFINED:
                result[name] = value
        return result


class _Parser:
    """Functions of (payload, topic) for the expressions of a clause."""

    def __init__(self, text):
        self.words, place = [], 0
        text = text.rstrip()
        while place < len(text):
            found = _WORDS.match(text, place)
            if not found:
                raise SqlError(f"not known here: {text[place:]}")
            self.words.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def next_is(self, *signs):
        return bool(self.words) and self.words[0][1].upper() in signs

    def take(self, *signs):
        if signs and not self.next_is(*signs) or not self.words:
            raise SqlError(f"expected {' or '.join(signs) or 'more'} before: {' '.join(word for _, word in self.words) or 'the end'}")
        return self.words.pop(0)

    def columns(self):
        found = [self.column()]
        while self.words:
            self.take(",")
            found.append(self.column())
        return found

    def column(self):
        if self.next_is("*"):
            self.take()
            return None, lambda payload, topic: payload
        expression = self.sum()
        self.take("AS")
        return self.take()[1], expression

    def whole(self):
        expression = self.comparison()
        if self.words:
            raise SqlError(f"not known here: {self.words[0][1]}")
        return expression

    def comparison(self):
        left = self.sum()
        sign = self.take("=", "<>")[1]
        right = self.sum()
        return lambda payload, topic: _compare(sign, left(payload, topic), right(payload, topic))

    def sum(self):
        return self.chain(self.product, {"+": lambda a, b: a + b, "-": lambda a, b: a - b})

    def product(self):
        return self.chain(self.atom, {"*": lambda a, b: a * b})

    def chain(self, part, signs):
        left = part()
        while self.next_is(*signs):
            left = self.binary(signs[self.take()[1]], left, part())
        return left

    @staticmethod
    def binary(function, left, right):
        def compute(payload, topic):
            values = left(payload, topic), right(payload, topic)
            return function(*values) if all(_is_number(value) for value in values) else UNDEFINED
        return compute

    def atom(self):
        kind, word = self.take()
        if word == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if kind == "number":
            number = Decimal(word) if "." in word else int(word)
            return lambda payload, topic: number
        if kind == "text":
            return lambda payload, topic: word[1:-1]
        if kind == "name" and self.next_is("("):
            return self.function(word)
        if kind == "name":
            return lambda payload, topic: _look_up(payload, word.split("."))
        raise SqlError(f"not known here: {word}")

    def function(self, name):
        if name != "topic":
            raise SqlError(f"the function {name}() is not known here")
        self.take("(")
        if self.next_is(")"):
            self.take()
            return lambda payload, topic: topic
        place = int(self.take()[1])
        self.take(")")
        return lambda payload, topic: (topic.split("/") + [UNDEFINED] * place)[place - 1]


def _is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _compare(sign, left, right):
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return (left == right) == (sign == "=")


def _look_up(payload, path):
    for key in path:
        if not isinstance(payload, dict) or key not in payload:
            return UNDEFINED
        payload = payload[key]
    return payload
