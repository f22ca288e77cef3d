"""Columns that look like people's: by their name, or by the format of their texts.

It decides what a profile hides, so a suspicion is enough. What keeps a release closed has to be found in the values:
that is left to ``ecluse.quality.personal``.
"""

from __future__ import annotations

import re

#: Formats that lead to a person.
FORMATS = frozenset({"email", "iban", "phone", "ipv4"})
#: Words of a column's name that speak of a person, whatever the column holds.
_ALWAYS = frozenset(
    (
        *("birth", "birthdate", "birthday", "birthyear", "dob", "born", "death", "salary", "wage", "income", "iban"),
        *("ssn", "nir", "passport", "phone", "mobile", "telephone"),
        *("naissance", "salaire", "revenu", "portable", "passeport"),
    )
)
#: Words that do so where the column holds texts.
_TEXTS = frozenset(
    (
        *("address", "city", "contact", "customer", "client", "email", "employee", "firstname", "fullname", "gender"),
        *("given", "lastname", "mail", "name", "passenger", "patient", "person", "postcode", "sex", "signature"),
        *("street", "surname", "user", "username", "zip", "adresse", "courriel", "nom", "prenom"),
    )
)


def looks_personal(name: str, kind: str, form: str | None) -> bool:
    """Whether a column of that name, kind and format looks as if it told of people. In doubt it does.

    >>> looks_personal("customerName", "text", None), looks_personal("dep_delay", "float", None)
    (True, False)
    """
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-zà-ÿ]+|[A-Z]+(?![a-z])", name)}
    if form in FORMATS or words & _ALWAYS:
        return True
    return kind == "text" and bool(words & _TEXTS)
