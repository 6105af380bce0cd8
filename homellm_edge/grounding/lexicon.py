"""English nouns that name a kind of device, function words, and colours.

A noun maps to the domains it usually stands for, best first. The lists only steer the
matcher and the hints; nothing here decides what is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOUNS = {
    "light": "light lamp lighting bulb chandelier spotlight sconce lantern downlight "
    "uplighter pendant floodlight nightlight led leds strip lampshade candle torch",
    "fan": "fan ventilator extractor blower ventilation",
    "cover": "blind blinds shade curtain shutter drapes awning garage gate roller "
    "window skylight venetian jalousie cover screen door",
    "lock": "lock deadbolt latch padlock bolt door",
    "media_player": "tv telly television speaker radio soundbar stereo projector "
    "music receiver player jukebox boombox volume song track playback audio",
    "climate": "thermostat heating heater ac aircon conditioner conditioning radiator "
    "hvac climate boiler",
    "switch": "switch outlet plug socket kettle toaster sprinkler pump charger "
    "printer dryer fountain heater machine maker",
    "vacuum": "vacuum hoover robot mower",
    "valve": "valve sprinkler irrigation tap",
    "humidifier": "humidifier dehumidifier",
    "scene": "scene mood",
    "script": "script routine",
    "button": "button",
    "sensor": "sensor temperature humidity battery power energy pressure",
    "binary_sensor": "sensor detector motion window door smoke leak presence "
    "occupancy battery tamper moisture",
}


def _by_noun() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for domain, nouns in _NOUNS.items():
        for noun in nouns.split():
            found[noun] = (*found.get(noun, ()), domain)
    return found


DOMAINS_OF_NOUN: Mapping[str, tuple[str, ...]] = _by_noun()

NOUNS_OF_DOMAIN: Mapping[str, frozenset[str]] = {
    domain: frozenset(nouns.split()) for domain, nouns in _NOUNS.items()
}

SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "tv television telly",
        "vacuum hoover vac roomba",
        "fridge refrigerator",
        "sofa couch settee",
        "hall hallway corridor",
        "garden yard backyard",
        "basement cellar",
        "attic loft",
        "patio terrace",
        "porch veranda",
        "bathroom loo toilet restroom washroom bath",
        "stairs staircase stairway stairwell",
        "heating heater radiator",
        "ac aircon",
        "kids children childrens",
        "mum mom mama mother",
        "dad papa father",
        "washer washing",
        "drapes curtain",
        "bin trash rubbish",
        "desk table",
        "office study",
        "nursery baby",
    )
)
"""Words that people take for each other; used where the home has only one of them."""

PLACES_ALSO_CALLED: tuple[tuple[str, ...], ...] = (
    ("living room", "lounge", "sitting room", "front room"),
    ("bathroom", "washroom", "restroom", "loo", "toilet", "wc"),
    ("hallway", "hall", "corridor"),
    ("garden", "yard", "backyard", "back yard"),
    ("office", "study", "home office"),
    ("kids room", "childrens room", "kids bedroom", "childrens bedroom"),
    ("nursery", "babys room", "baby room"),
    ("master bedroom", "main bedroom"),
    ("laundry room", "laundry", "utility room"),
    ("entryway", "entrance", "entry", "foyer"),
    ("family room", "den", "tv room"),
    ("ground floor", "downstairs"),
)
"""Names of rooms that mean the same one, where the home has only one of them."""

STOP_WORDS = frozenset(
    (
        "a an the my our your his her their its this that these those it them in "
        "on at of to for from by with and or but not no is are was be do does "
        "did can could would will shall should please i you we me us he she they "
        "what whats which who when where how many much any all every each "
        "everything both some set turn put make get go up down off out "
        "open close shut start stop now then also too just there here up percent "
        "degrees degree right left off if as so than more less want need like "
        "let lets have has had tell check see if know whether still am been "
        "being about into over under again back ok okay hey hi hello thanks "
        "thank while during after before until one two first second other room "
        "rooms house home apartment flat floor place area side inside outside "
        "everywhere anywhere"
    ).split()
)
"""Words that name a device only as part of a longer name."""

VERBS_AND_NOUNS = frozenset(
    (
        "light lock switch open close play fan screen right left door heat cool "
        "plug bolt latch gate stop second power shade cover strip volume"
    ).split()
)
"""Words that are device nouns after an article but verbs or adjectives elsewhere."""

ARTICLES = frozenset(("the my our all every a an this that his her both these").split())
CONNECTORS = frozenset(("in the of on my our at for inside a").split())
"""Words that may stand inside a mention: `the lamp in the kitchen`."""

ATTRIBUTE_NOUNS = frozenset(
    (
        "temperature humidity battery power energy pressure brightness volume speed "
        "position illuminance"
    ).split()
)
"""What is measured or set of a device: `the volume of the tv` mentions the tv only."""

MEASURED = ATTRIBUTE_NOUNS - {"volume"}
"""Alone they mention nothing; `the volume` alone means that of the only player."""

COMMAND_WORDS = frozenset(
    (
        "block blocked bright brighter brighten brightness change changed check clear "
        "clean close closed cold color cooler dark darker degree degrees dim dimmer "
        "down drop faster full fully give half halfway heat heating high higher hot "
        "keep know leave left level list lift locked loud louder low lower make many "
        "maximum minimum mode more move much mute muted next number open opened pause "
        "paused percent play playing press previous pull push quiet quieter raise "
        "reduce resume running scene script send show shut silence skip slower slow "
        "song sound source speed start started state status stop stopped switched "
        "temperature track turned unlock unlocked unmute volume warm warmer watch "
        "water wet while white"
    ).split()
)
"""Words of commands and questions: never a typing error of a device's name."""

TEXT_TRIGGERS = frozenset(
    (
        "add append put list lists todo todos buy purchase groceries grocery "
        "shopping need out low timer timers countdown alarm remind reminder called "
        "named titled labelled labeled play playing hear listen listening watch "
        "watching music song songs tune tunes album artist band movie film podcast "
        "audiobook playlist station radio search find stream check cross tick mark "
        "remove delete scratch strike item items task tasks chore chores done "
        "finished bought got minutes minute hour hours seconds run"
    ).split()
)
"""A sentence with none of these holds no text of the speaker's own."""

FRAME_WORDS = STOP_WORDS | frozenset(
    (
        "add append adding put list lists todo todos buy purchase get grab pick "
        "groceries shopping grocery need needs timer timers countdown alarm remind "
        "reminder reminders remember called named titled labelled labeled play "
        "playing hear listen listening watch watching music song songs tune tunes "
        "album artist band movie film podcast audiobook playlist station radio "
        "search find look stream check cross tick mark marked remove delete scratch "
        "strike item items task tasks entry done finished complete completed bought "
        "got already cancel stop pause resume unpause start begin restart create "
        "make new give minutes minute hour hours seconds second min sec hr longer "
        "shorter time remaining left extend shorten increase decrease reduce raise "
        "lengthen kill silence dismiss clear wake count down run running keep going "
        "name something anything nothing by the please just really little bit some "
        "any more another next previous last again loud louder quieter volume um uh "
        "erm hmm er al hey pls kind id like favor quick question wonder wondering "
        "things thing tell advance ahead far extra half quarter other full whole "
        "lot who out such shall whether may might must would thx cheers sorry "
        "actually maybe perhaps well yeah yes no nope hm right away soon possible "
        "immediately quickly anymore still yet even also while until once leave "
        "bring show see say said saying lets use used using move press hit switch "
        "turn adjust change lower dim brighten lock unlock light lights lamp heat "
        "cool warm cold hot bright dark open close opened closed quiet mute unmute "
        "started stopped state status percent degrees room house everything "
        "everywhere rid dont didnt doesnt isnt wasnt wont cant couldnt havent hasnt "
        "arent thats theres whats whos hows whens ill youre theyre weve youve him "
        "her fast faster slow slower favour moment chance don't im ive were its "
        "gonna wanna"
    ).split()
)
"""Words that commands with a text are made of; a text starts and ends with others."""

CLAUSE_VERBS = frozenset(
    (
        "turn switch shut open close set start stop dim lock unlock play pause mute "
        "unmute raise lower increase decrease brighten darken activate deactivate "
        "enable disable arm disarm make bring change adjust press run vacuum mow dock "
        "resume skip check is are whats what which how tell power crank pull push "
        "roll draw kill cut toggle put"
    ).split()
)
"""A part of a sentence that starts with one of these is a command of its own."""

GOVERNING_WORDS = frozenset(
    (
        "not dont doesnt didnt never no nor without unless if when whenever until "
        "while but except list lists todo todos remind called named"
    ).split()
)
"""A sentence with one of these is never cut: it may govern all of it."""

PRONOUNS = frozenset(["it", "them", "that", "those", "these"])

_RGB = {
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "lime": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "violet": (238, 130, 238),
    "pink": (255, 192, 203),
    "white": (255, 255, 255),
    "turquoise": (64, 224, 208),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "teal": (0, 128, 128),
    "brown": (165, 42, 42),
    "gold": (255, 215, 0),
    "lavender": (230, 230, 250),
    "coral": (255, 127, 80),
    "salmon": (250, 128, 114),
    "beige": (245, 245, 220),
    "indigo": (75, 0, 130),
    "crimson": (220, 20, 60),
    "navy": (0, 0, 128),
    "mint": (189, 252, 201),
    "amber": (255, 191, 0),
}
_KELVIN = {
    ("warm", "white"): 2700,
    ("soft", "white"): 3000,
    ("neutral", "white"): 4000,
    ("cool", "white"): 5500,
    ("cold", "white"): 6500,
    ("daylight",): 6500,
    ("candlelight",): 2000,
}
COLORS: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    **{(name,): {"rgb_color": list(value)} for name, value in _RGB.items()},
    **{name: {"color_temp_kelvin": value} for name, value in _KELVIN.items()},
}
"""Colour words -> the service argument that they stand for (CSS values)."""
