"""Made-up names and addresses, chosen by number."""

from __future__ import annotations

FAMILY = (
    *("Sato", "Suzuki", "Takahashi", "Tanaka", "Watanabe", "Ito", "Yamamoto", "Nakamura", "Kobayashi", "Kato"),
    *("Yoshida", "Yamada", "Sasaki", "Yamaguchi", "Matsumoto", "Inoue", "Kimura", "Hayashi", "Shimizu", "Saito"),
    *("Nguyen", "Kim", "Garcia", "Santos", "Gurung", "Müller"),
)
GIVEN = (
    *("Haruto", "Yui", "Sota", "Aoi", "Ren", "Hina", "Yuto", "Sakura", "Kenji", "Keiko", "Hiroshi", "Naoko", "Takashi"),
    *("Yoko", "Daisuke", "Miho", "Kaito", "Rin", "Linh", "Jisoo", "Mateo", "Maria", "Anjali"),
)


def family_name(draw: int) -> str:
    return FAMILY[draw % len(FAMILY)]


def given_name(draw: int) -> str:
    return GIVEN[(draw >> 10) % len(GIVEN)]


def full_name(draw: int) -> str:
    """Family name first, as Japanese offices write it."""
    return f"{family_name(draw)} {given_name(draw)}"


def company_name(draw: int) -> str:
    """Empty for most; one in fifty is a firm, with an ampersand in its name."""
    return f"{family_name(draw)} & {family_name(draw >> 7)}" if (draw >> 40) % 50 == 0 else ""


def email(draw: int, person: int) -> str:
    """An address under a domain that cannot exist (RFC 2606)."""
    return f"{given_name(draw).lower()}.{person}@example.jp"
