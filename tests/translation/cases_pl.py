"""Polish sentences in the English words of the table; what locks or is forbidden."""

from __future__ import annotations

PAIRS = (
    (
        "włącz światło w kuchni",
        "turn on light in kitchen",
    ),
    (
        "wyłącz lampę stojącą",
        "turn off floor lamp",
    ),
    (
        "ustaw światło na pięćdziesiąt procent",
        "set light to 50 percent",
    ),
    (
        "podnieś rolety w salonie",
        "raise blinds in living room",
    ),
    (
        "zamknij wszystkie rolety oprócz tej w kuchni",
        "close all blinds except this in kitchen",
    ),
    (
        "zamknij drzwi na klucz",
        "lock door",
    ),
    (
        "zablokuj drzwi wejściowe",
        "lock front door",
    ),
    (
        "odblokuj drzwi wejściowe",
        "unlock front door",
    ),
    (
        "otwórz bramę garażową",
        "open garage door",
    ),
    (
        "nie otwieraj bramy garażowej",
        "dont open garage door",
    ),
    (
        "czy brama garażowa jest otwarta",
        "is garage door open",
    ),
    (
        "ile świateł jest włączonych",
        "how many lights is on",
    ),
    (
        "które okna są otwarte",
        "which windows are open",
    ),
    (
        "ustaw ogrzewanie w łazience na dwadzieścia dwa stopnie",
        "set heating in bathroom to 22 degrees",
    ),
    (
        "zimno mi",
        "i am cold",
    ),
    (
        "tu jest za ciemno",
        "it is here too dark",
    ),
    (
        "zrób trochę jaśniej",
        "make a bit brighter",
    ),
    (
        "ustaw minutnik na kwadrans",
        "set timer to 15 minutes",
    ),
    (
        "ustaw minutnik na półtorej godziny",
        "set timer to 90 minutes",
    ),
    (
        "za pół godziny",
        "in half an hour",
    ),
    (
        "odhacz mleko",
        "tick off mleko",
    ),
    (
        "anuluj minutnik",
        "cancel timer",
    ),
    (
        "ustaw lampkę nocną na czerwony",
        "set bedside lamp to red",
    ),
    (
        "ustaw lampę sufitową na ciepły biały",
        "set ceiling lamp to warm white",
    ),
    (
        "odkurz kuchnię",
        "vacuum kitchen",
    ),
    (
        "która jest godzina",
        "what time is it",
    ),
    (
        "czy jutro będzie padać",
        "will tomorrow rain",
    ),
    (
        "uzbrój alarm",
        "arm alarm",
    ),
    (
        "rozbrój alarm",
        "disarm alarm",
    ),
    (
        "przyciemnij trochę światło",
        "dim a bit light",
    ),
    (
        "puść muzykę w salonie",
        "play music in living room",
    ),
    (
        "zatrzymaj telewizor",
        "stop tv",
    ),
    (
        "gdzie jest odkurzacz",
        "where is vacuum cleaner",
    ),
    (
        "tak",
        "yes",
    ),
    (
        "nie",
        "no",
    ),
    (
        "wyłącz wszystko w domu",
        "turn off everything at home",
    ),
    (
        "za dziesięć minut wyłącz wentylator",
        "in 10 minutes turn off fan",
    ),
    (
        "światło jest za jasne",
        "light is too bright",
    ),
    (
        "otwórz okno w sypialni o dwadzieścia procent",
        "open window in bedroom by 20 percent",
    ),
    (
        "zgaś wszystkie lampy na górze",
        "turn off all lamps upstairs",
    ),
)
LOCKING = (
    "zablokuj drzwi",
    "zamknij drzwi na klucz",
    "zarygluj drzwi",
    "zamknij bramę",
)
FORBIDDEN = (
    "nie otwieraj drzwi",
    "nigdy nie otwieraj bramy",
    "nie rozbrajaj alarmu",
)
