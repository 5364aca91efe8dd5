"""Cleaning told again, slowly and from the documentation: one line after the other, in plain Python."""

import re
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal, InvalidOperation

ORDER = [
    "blank_row", "header_repeated", "bad_date", "bad_amount", "no_customer", "guest", "staff", "test_order",
    "after_as_of", "pseudo_product", "exact_duplicate", "zero_amount", "returned", "below_minimum", "only_returns",
]  # fmt: skip


def number(text):
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def day(text):
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def applying(rows, cleaning, as_of):
    """For each row, the rules one row is enough for. Rows: customer_id, ordered_at, order_id, product_id, amount."""
    found, seen = [], set()
    for row in rows:
        who, when, order, product, money = row
        rules = set()
        amount, on = number(money), day(when)
        if not any(row):
            rules.add("blank_row")
        if row == ("customer_id", "ordered_at", "order_id", "product_id", "amount"):
            rules.add("header_repeated")
        rules |= {"bad_date"} if on is None else set()
        rules |= {"bad_amount"} if amount is None else set()
        rules |= {"no_customer"} if not who else set()
        texts = {"guest": ("guests", who), "staff": ("staff", who), "test_order": ("test_orders", order),
                 "pseudo_product": ("pseudo_products", product)}  # fmt: skip
        for rule, (key, text) in texts.items():
            if any(re.search(pattern, text) for pattern in cleaning.get(key, {}).values()):
                rules.add(rule)
        if on and on > as_of:
            rules.add("after_as_of")
        if cleaning.get("exact_duplicates") == "drop" and row in seen:
            rules.add("exact_duplicate")
        seen.add(row)
        if cleaning.get("zero_amounts") == "drop" and amount == 0:
            rules.add("zero_amount")
        if cleaning.get("returns") == {"treat": "drop"} and amount is not None and amount < 0:
            rules.add("returned")
        found.append(rules)
    return found


def clean(rows, cleaning, as_of):
    """``(rule → (rows, customers, money, money below zero), rule → found)``, ``used`` among the rules."""
    found = applying(rows, cleaning, as_of)
    verdict = [min(rules, key=ORDER.index) if rules else "used" for rules in found]
    used = [place for place, rule in enumerate(verdict) if rule == "used"]
    if cleaning.get("minimum_order"):
        totals, sold = defaultdict(Decimal), set()
        for place in used:
            who, when, order, _, money = rows[place]
            if number(money) >= 0:
                totals[who, order or when] += number(money)
                sold.add((who, order or when))
        for place in used:
            key = (rows[place][0], rows[place][2] or rows[place][1])
            if key in sold and totals[key] < Decimal(str(cleaning["minimum_order"])):
                verdict[place] = "below_minimum"
    buyers = {row[0] for row, rule in zip(rows, verdict, strict=True) if rule == "used" and number(row[4]) >= 0}
    for place, row in enumerate(rows):
        if verdict[place] == "used" and row[0] not in buyers:
            verdict[place] = "only_returns"
    counts = Counter(verdict)
    told = {}
    for rule in counts:
        mine = [row for row, given in zip(rows, verdict, strict=True) if given == rule]
        amounts = [number(row[4]) or Decimal(0) for row in mine]
        below = sum(amount for amount in amounts if amount < 0)
        told[rule] = (counts[rule], len({row[0] for row in mine} - {""}), float(sum(amounts)), float(below))
    return told, Counter(rule for rules in found for rule in rules)
