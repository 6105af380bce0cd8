"""Word banks for homes: areas, device nouns, adjectives, people, made-up words.

About one word in seven is held out: it occurs in homes of the `held_out` split only, so
that accuracy on names nobody trained on can be measured.
"""

from __future__ import annotations

import random
import zlib
from functools import lru_cache

AREAS = tuple(
    (
        "kitchen|living room|bedroom|master bedroom|guest room|bathroom|hallway|"
        "garage|office|study|attic|basement|dining room|laundry room|nursery|"
        "kids room|playroom|pantry|porch|patio|balcony|garden|driveway|backyard|"
        "front yard|entryway|foyer|den|library|gym|workshop|shed|greenhouse|"
        "terrace|deck|hall|corridor|staircase|closet|mud room|sun room|"
        "utility room|cellar|lounge|cinema|game room|music room|conservatory|"
        "loft|studio|pool house|carport|veranda|landing|storage room|wine cellar|"
        "server room|hobby room|spa|sauna|guest bathroom|ensuite|upper hall|"
        "tea room|craft room|bedroom 1|bedroom 2|bedroom 3|bathroom 2|family room"
    ).split("|")
)
FLOORS = (
    ("ground floor", 0),
    ("first floor", 1),
    ("second floor", 2),
    ("top floor", 3),
    ("basement level", -1),
    ("upper floor", 1),
    ("lower floor", 0),
    ("main floor", 0),
)
PEOPLE = tuple(
    (
        "anna ben carla david emma felix grace henry ida jack kate liam mia noah "
        "olive paul quinn rosa sam tina uma victor wendy xavier yara zoe martin "
        "lucy oscar nina mum dad"
    ).split()
)
ADJECTIVES = tuple(
    (
        "left right main small big tall corner back front side upper lower inner "
        "outer new old red blue green white black east west north south first "
        "round long smart hidden vintage copper oak glass modern mini double "
        "wide narrow little spare rear central"
    ).split()
)
NOUNS: dict[str, tuple[str, ...]] = {
    "light": tuple(
        (
            "light|lamp|ceiling light|chandelier|spotlight|led strip|floor lamp|"
            "desk lamp|night light|wall light|bedside lamp|lantern|sconce|"
            "reading lamp|pendant|fairy lights|downlights|string lights|"
            "mirror light|counter lights|uplighter|reading light|table lamp|bulb|"
            "lights|cabinet lights|torch"
        ).split("|")
    ),
    "fan": tuple(
        (
            "fan|ceiling fan|exhaust fan|ventilator|tower fan|air purifier|"
            "extractor|desk fan|blower|air circulator|extractor fan|bathroom fan"
        ).split("|")
    ),
    "cover": tuple(
        (
            "blinds|blind|curtain|curtains|shutter|shutters|shade|shades|awning|"
            "roller blind|skylight|drapes|window|garage door|gate|venetian"
        ).split("|")
    ),
    "lock": tuple(
        (
            "lock|door lock|deadbolt|door|smart lock|latch|padlock|side door|"
            "front door|back door|gate lock|entrance"
        ).split("|")
    ),
    "media_player": tuple(
        (
            "tv|speaker|television|radio|soundbar|stereo|projector|record player|"
            "receiver|home theater|jukebox|boombox|smart speaker|music player|"
            "speakers"
        ).split("|")
    ),
    "climate": tuple(
        (
            "thermostat|heater|ac|air conditioner|radiator|heat pump|"
            "floor heating|heating|climate control|boiler|hvac|air conditioning"
        ).split("|")
    ),
    "switch": tuple(
        (
            "switch|outlet|plug|coffee maker|kettle|sprinkler|water pump|"
            "heater plug|printer|washing machine|dishwasher|toaster|aquarium|"
            "christmas tree|power strip|charger|fountain|dryer|oven|rice cooker|"
            "socket|pump|coffee machine|air pump|tree"
        ).split("|")
    ),
    "vacuum": ("vacuum", "robot vacuum", "hoover", "robot", "robot cleaner"),
    "valve": ("valve", "water valve", "sprinkler valve", "tap", "irrigation valve"),
    "humidifier": ("humidifier", "dehumidifier"),
    "scene": (
        "movie night",
        "dinner",
        "relax",
        "party",
        "bright",
        "reading",
        "romantic",
        "morning",
        "cozy",
        "focus",
        "cinema mode",
        "night mode",
    ),
    "script": (
        "good night",
        "leaving home",
        "wake up routine",
        "water the plants",
        "welcome home",
        "close everything",
        "bedtime",
        "panic",
    ),
    "button": ("doorbell button", "restart router", "feed the cat", "reboot", "call"),
    "sensor": tuple(
        (
            "temperature|humidity|battery|power|energy|illuminance|pressure|voltage|"
            "current|pm25|carbon dioxide|temperature sensor|humidity sensor|"
            "power sensor|speed"
        ).split("|")
    ),
    "binary_sensor": tuple(
        (
            "door|window|motion|front door|back door|patio door|occupancy|smoke|"
            "moisture|leak sensor|motion sensor|battery|tamper|presence|door sensor|"
            "window sensor|smoke detector|contact|vibration|sliding door|problem|"
            "connectivity|battery charging|gas|plug"
        ).split("|")
    ),
    "water_heater": ("water heater", "boiler", "hot water", "hot water tank"),
    "lawn_mower": ("lawn mower", "mower", "robot mower", "lawnmower"),
    "alarm_control_panel": ("alarm", "house alarm", "alarm system", "security system"),
    "timer": ("laundry", "washing machine", "oven", "sauna timer", "egg timer"),
    "todo": (
        "shopping list",
        "shopping list",
        "groceries",
        "chores",
        "tasks",
        "to do",
        "packing list",
        "hardware store",
        "honey do list",
        "wish list",
        "trader bobs",
        "farmers market",
        "work tasks",
        "weekend projects",
        "drugstore",
    ),
    "weather": (
        "weather service",
        "home",
        "london",
        "forecast",
        "berlin",
        "springfield",
        "new york",
        "oslo",
        "weather",
    ),
    "calendar": (
        "personal",
        "family",
        "work",
        "birthdays",
        "holidays",
        "school",
        "garbage collection",
        "football",
        "team calendar",
    ),
    "person": ("person",),
}
_HEADS = tuple(
    (
        "ba be bo da de do fa fi go ga ka ki ko la le lo ma mi mo na ne no pa pi "
        "po ra ri ro sa se so ta ti to va vi vo za zu ber cal dor fen gil har "
        "jun kel lum mar nor pol quin ros sil tor ven wil zan bri cla dra flo "
        "gre plo sta tri"
    ).split()
)
_TAILS = tuple(
    (
        "n r l s t x ck nd rt st m th ng ll ra na ta lo mi by ty ley ton ford "
        "ham us is or an en"
    ).split()
)


def held_out(word: str) -> bool:
    """Whether a bank word belongs to the `held_out` split only."""
    return zlib.crc32(f"held:{word}".encode()) % 7 == 0


def pick(rng: random.Random, bank: tuple[str, ...], split: str) -> str:
    """A word of the bank that the split may use."""
    common, rare = _parts(bank)
    if split == "held_out" and rare and rng.random() < 0.7:
        return rng.choice(rare)
    return rng.choice(common or bank)


@lru_cache(maxsize=256)
def _parts(bank: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple(w for w in bank if not held_out(w)),
        tuple(w for w in bank if held_out(w)),
    )


def is_device_noun(word: str) -> bool:
    """Whether a word is a device noun of the banks, so that it can stand alone."""
    return any(word == n.split()[-1] for nouns in NOUNS.values() for n in nouns)


def made_up(rng: random.Random) -> str:
    """A word that nobody has heard, pronounceable."""
    return "".join(rng.choice(_HEADS) for _ in range(rng.randint(1, 3))) + rng.choice(
        _TAILS
    )
