"""In which currency amounts are: by their signs, by the header, by a column of currencies or countries."""

import re
import unicodedata
from collections import Counter

from perennial.onboard.profile import Profile
from perennial.onboard.questions import Answers, Question
from perennial.onboard.write_yaml import Entry

_SIGNS = {
    "€": "EUR", "£": "GBP", "US$": "USD", "HK$": "HKD", "A$": "AUD", "C$": "CAD", "R$": "BRL", "$": "USD", "₽": "RUB",
    "₩": "KRW", "₹": "INR", "₺": "TRY", "元": "CNY", "人民币": "CNY", "円": "JPY", "zł": "PLN", "Kč": "CZK",
    "RMB": "CNY",
}  # fmt: skip
_CODES = ("EUR", "USD", "GBP", "CNY", "JPY", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "CAD", "AUD", "INR",
          "BRL", "HKD", "TWD", "SGD", "KRW", "TRY", "RUB", "MXN", "NZD", "ZAR")  # fmt: skip
_COUNTRIES = {
    "united kingdom": "GBP", "uk": "GBP", "great britain": "GBP", "gb": "GBP", "united states": "USD", "usa": "USD",
    "us": "USD", "china": "CNY", "cn": "CNY", "中国": "CNY", "japan": "JPY", "jp": "JPY", "switzerland": "CHF",
    "schweiz": "CHF", "ch": "CHF", "brazil": "BRL", "brasil": "BRL", "canada": "CAD", "australia": "AUD",
    "india": "INR", "sweden": "SEK", "norway": "NOK", "denmark": "DKK", "poland": "PLN", "polska": "PLN",
    **dict.fromkeys(("germany", "deutschland", "de", "france", "fr", "spain", "españa", "es", "italy", "italia", "it",
                     "netherlands", "nl", "austria", "österreich", "at", "belgium", "ireland", "portugal"), "EUR"),
}  # fmt: skip
_LOCALES = {"zh": "CNY", "zh_tw": "TWD", "ja": "JPY", "ko": "KRW", "pl": "PLN", "cs": "CZK", "hu": "HUF", "ru": "RUB",
            "uk": "UAH", "tr": "TRY"}  # fmt: skip


def find_currency(money: list[Profile], country: Profile | None, locale: str, answers: Answers) -> tuple[str, str]:
    """The currency's code and where it was taken from.

    Parameters
    ----------
    money : the columns with amounts or prices, or with currencies' codes.
    country : the column with countries, where there is one.
    """
    seen = _signs(money)
    if len(seen) == 1 and answers.given("currency") is None:
        return next(iter(seen)), "stands beside the amounts"
    if seen:
        default, why = seen.most_common(1)[0][0], f"the amounts show {', '.join(sorted(seen))}"
    elif country is not None and (code := _country_currency(country)):
        default, why = code, "most lines are of one country that pays in it"
    elif locale in _LOCALES:
        default, why = _LOCALES[locale], "the file is in that country's language"
    else:
        default, why = "EUR", "nothing in the file shows it"
    question = Question(
        "currency", f"In which currency are the amounts? {default} is taken because {why}.", {}, default
    )
    answer = str(answers.ask(question)).strip().upper()
    return answer, "" if answer != default else why


def rates(codes: Profile | None, currency: str, answers: Answers) -> list[Entry]:
    """Where a column names other currencies than the report's, the rates they are counted by.

    Parameters
    ----------
    codes : the column with the currencies' codes, where there is one.
    """
    found = {text.strip().upper() for text in codes.sample} if codes else set()
    others = sorted(code for code in found - {currency} if re.fullmatch("[A-Z]{3}", code))
    if not others:
        return []
    worth = ", ".join(f"{code}: …" for code in others)
    text = (
        f"Amounts are in {', '.join(others)} too. What is one unit worth in {currency}? Without rates these lines are "
        f"not read. Write rates: {{{worth}}}, or give a file with currency, rate and, if rates change, date."
    )
    answer = answers.ask(Question("cleaning.rates", text, {}, "none"))
    return [] if answer == "none" else [Entry("rates", answer, "worth of one unit in the report's currency")]


def _signs(money: list[Profile]) -> Counter[str]:
    found: Counter[str] = Counter()
    for profile in money:
        for text, times in [*profile.sample.items(), (profile.name, 1)]:
            plain = unicodedata.normalize("NFKC", text)
            code = next((code for sign, code in _SIGNS.items() if sign in plain), None)
            code = code or next((c for c in _CODES if re.search(rf"(?<![A-Za-z]){c}(?![A-Za-z])", plain)), None)
            if code:
                found[code] += times
    return found


def _country_currency(country: Profile) -> str | None:
    name, times = country.sample.most_common(1)[0]
    return _COUNTRIES.get(name.casefold()) if times > 0.5 * sum(country.sample.values()) else None
