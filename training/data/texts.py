"""Texts of the speaker's own: what is bought, done, timed and played; durations."""

from __future__ import annotations

import random

from .names import made_up, pick
from .numbers import spoken

GROCERIES = tuple(
    (
        "milk|eggs|bread|butter|cheese|apples|bananas|oranges|lemons|tomatoes|"
        "potatoes|onions|garlic|carrots|lettuce|spinach|cucumber|peppers|rice|pasta|"
        "flour|sugar|salt|pepper|olive oil|vinegar|honey|jam|peanut butter|cereal|"
        "oatmeal|yogurt|cream|sour cream|chicken breast|ground beef|bacon|ham|salmon|"
        "tuna|shrimp|tofu|beans|lentils|chickpeas|coffee|coffee filters|tea|green tea|"
        "orange juice|sparkling water|soda|beer|red wine|white wine|chips|crackers|"
        "cookies|dark chocolate|ice cream|frozen pizza|frozen peas|toilet paper|"
        "paper towels|dish soap|laundry detergent|trash bags|batteries|light bulbs|"
        "toothpaste|shampoo|hand soap|sponges|dog food|cat litter|diapers|baby wipes|"
        "napkins|aluminum foil|cling film|candles|stamps|birthday card|flowers|"
        "almond milk|soy sauce|tortillas|avocados|strawberries|blueberries|grapes|"
        "watermelon|mushrooms|zucchini|broccoli|celery|ginger|basil|parsley|cinnamon|"
        "mayonnaise|ketchup|mustard|hot sauce|maple syrup|pancake mix|rolled oats|"
        "walnuts|almonds|raisins|popcorn|mineral water|apple juice|sausages|turkey|"
        "goat cheese|mac and cheese|fish fingers|salt and vinegar crisps|baking powder|"
        "vanilla extract|brown sugar|cold medicine|sunscreen|tissues|printer paper|"
        "water filters|screws|duct tape|paint|a new mop|potting soil|bird seed"
    ).split("|")
)
TASKS = tuple(
    (
        "call the dentist|pay the electricity bill|water the plants|walk the dog|"
        "take out the trash|mow the lawn|clean the gutters|wash the car|"
        "book a haircut|renew the passport|fix the bike|pick up the dry cleaning|"
        "return the library books|feed the fish|change the sheets|do the laundry|"
        "vacuum the stairs|clean the windows|send the parcel|buy a present|"
        "schedule the oil change|email the landlord|defrost the freezer|"
        "iron the shirts|sort the mail|rake the leaves|paint the fence|"
        "descale the kettle|test the smoke alarm|order contact lenses|"
        "prepare the slides|pack the suitcase|clean out the fridge|"
        "practice piano|study for the exam|call grandma|pay the rent|file the taxes|"
        "homework|dishes|dusting|groceries|dry cleaning|oil change|tax return"
    ).split("|")
)
TIMED = tuple(
    (
        "pizza|eggs|pasta|rice|tea|coffee|laundry|bread|cookies|chicken|cake|potatoes|"
        "soup|lasagna|washing machine|dryer|dishes|nap|break|workout|homework|"
        "screen time|meditation|oven|roast|steak|fish|vegetables|meeting|parking|"
        "medicine|stretching|plank|egg|turkey|noodles|brownies|quiche|sauna|bath|"
        "reading|study|yoga|dinner|lunch|breakfast|hair dye|face mask|dough|marinade|"
        "sprinkler|kids|timeout|game|broccoli|baked beans|pie|popcorn|barbecue|grill"
    ).split("|")
)
PLAYED = tuple(
    (
        "jazz|classical music|rock|hip hop|lo fi beats|country|blues|reggae|techno|"
        "piano music|the beatles|taylor swift|mozart|pink floyd|queen|miles davis|"
        "johnny cash|daft punk|adele|nirvana|abba|led zeppelin|norah jones|"
        "dark side of the moon|abbey road|thriller|purple rain|hotel california|"
        "bohemian rhapsody|yesterday|here comes the sun|smooth jazz|christmas songs|"
        "my workout playlist|my morning mix|sleep sounds|rain sounds|white noise|"
        "the lion king|frozen|star wars|the godfather|inception|stranger things|"
        "the office|bbc news|npr|classic fm|radio paradise|the daily|"
        "harry potter|lullabies|disco hits|eighties hits|ambient music|salsa|"
        "whale sounds|beethoven symphony|guitar music|dinner music|summer hits"
    ).split("|")
)
_UNITS = ((1, "second"), (60, "minute"), (60, "minute"), (60, "minute"), (3600, "hour"))


def item(rng: random.Random, split: str) -> str:
    """Something for a list."""
    bank = GROCERIES if rng.random() < 0.7 else TASKS
    return _varied(rng, bank, split)


def grocery(rng: random.Random, split: str) -> str:
    """Something to be bought."""
    return _varied(rng, GROCERIES, split)


def timed(rng: random.Random, split: str) -> str:
    """What a timer is for."""
    return _varied(rng, TIMED, split)


def played(rng: random.Random, split: str) -> str:
    """Music, a film, a station."""
    roll = rng.random()
    text = _varied(rng, PLAYED, split)
    if roll < 0.1:
        return f"{text} by {made_up(rng)}"
    return text


def _varied(rng: random.Random, bank: tuple[str, ...], split: str) -> str:
    roll = rng.random()
    text = pick(rng, bank, split)
    if roll < 0.12:
        return made_up(rng)
    if roll < 0.2:
        return f"{made_up(rng)} {text.split()[-1]}"
    if roll < 0.24:
        return f"{made_up(rng)} {made_up(rng)}"
    return text


def duration(rng: random.Random) -> tuple[str, float]:
    """(words, seconds): `an hour and a half`, `20 min`."""
    roll = rng.random()
    if roll < 0.05:
        return rng.choice(
            (
                ("half an hour", 1800.0),
                ("an hour", 3600.0),
                ("an hour and a half", 5400.0),
                ("a minute", 60.0),
                ("a quarter of an hour", 900.0),
                ("two and a half hours", 9000.0),
                ("half a minute", 30.0),
                ("a couple of minutes", 120.0),
            )
        )
    size, unit = rng.choice(_UNITS)
    count = rng.choice((1, 2, 3, 5, 10, 15, 20, 30, 45, rng.randint(1, 59)))
    if size == 3600:
        count = rng.randint(1, 9)
    text = _counted(rng, count, unit)
    seconds = float(count * size)
    if size == 3600 and rng.random() < 0.3:
        more = rng.choice((5, 10, 15, 20, 30, 45))
        text += f"{rng.choice((' ', ' and '))}{_counted(rng, more, 'minute')}"
        seconds += 60 * more
    elif size == 60 and rng.random() < 0.1:
        more = rng.choice((10, 15, 20, 30, 45))
        text += f"{rng.choice((' ', ' and '))}{_counted(rng, more, 'second')}"
        seconds += more
    return text, seconds


def _counted(rng: random.Random, count: int, unit: str) -> str:
    if rng.random() < 0.15:
        unit = {"second": "sec", "minute": "min", "hour": "hr"}[unit]
    elif count != 1 and rng.random() < 0.9:
        unit += "s"
    return f"{spoken(rng, count)} {unit}"
