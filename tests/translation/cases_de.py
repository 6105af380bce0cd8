"""German sentences in the English words of the table; what locks or is forbidden."""

from __future__ import annotations

PAIRS = (
    (
        "mach das licht in der küche auf fünfzig prozent",
        "make the light in the kitchen to 50 percent",
    ),
    (
        "schalte die stehlampe ein",
        "turn the floor lamp on",
    ),
    (
        "schalt den fernseher aus",
        "turn the tv off",
    ),
    (
        "mach das licht heller",
        "make the light brighter",
    ),
    (
        "mach alle rollos zu außer dem in der küche",
        "make all blinds closed except the in the kitchen",
    ),
    (
        "schließ die haustür ab",
        "lock the front door",
    ),
    (
        "schließ die haustür auf",
        "unlock the front door",
    ),
    (
        "sperr das tor zu",
        "lock the gate",
    ),
    (
        "öffne das garagentor",
        "open the garage door",
    ),
    (
        "ist das garagentor noch offen",
        "is the garage door still open",
    ),
    (
        "wie viele lichter sind noch an",
        "how many lights are still on",
    ),
    (
        "welche fenster sind offen",
        "which windows are open",
    ),
    (
        "stell die heizung im bad auf zweiundzwanzig grad",
        "set the heating in the bathroom to 22 degrees",
    ),
    (
        "mir ist kalt",
        "i am cold",
    ),
    (
        "dreh die heizung auf",
        "turn up the heating",
    ),
    (
        "stell einen timer auf eine viertelstunde",
        "set a timer to 15 minutes",
    ),
    (
        "stell einen timer auf anderthalb stunden",
        "set a timer to 90 minutes",
    ),
    (
        "in einer halben stunde",
        "in half an hour",
    ),
    (
        "setz milch auf die einkaufsliste",
        "put milch on the shopping list",
    ),
    (
        "hak milch ab",
        "tick off milch",
    ),
    (
        "brich den timer ab",
        "cancel the timer",
    ),
    (
        "mach die nachttischlampe rot",
        "make the bedside lamp red",
    ),
    (
        "mach die deckenlampe warmweiß",
        "make the ceiling lamp warm white",
    ),
    (
        "saug die küche",
        "vacuum the kitchen",
    ),
    (
        "mach das aus",
        "turn that off",
    ),
    (
        "wie spät ist es",
        "what time is it",
    ),
    (
        "mach die alarmanlage scharf",
        "arm the alarm system",
    ),
    (
        "mach die alarmanlage unscharf",
        "disarm the alarm system",
    ),
    (
        "entriegel die haustür nicht",
        "unlock the front door not",
    ),
    (
        "dimm das licht ein bisschen",
        "dim the light a bit",
    ),
    (
        "spiel musik im wohnzimmer",
        "play music in the living room",
    ),
    (
        "mach die musik leiser",
        "make the music quieter",
    ),
    (
        "pausier den fernseher",
        "pause the tv",
    ),
    (
        "wo ist der saugroboter",
        "where is the robot vacuum",
    ),
    (
        "ja bitte",
        "yes",
    ),
    (
        "nein",
        "no",
    ),
    (
        "kannst du bitte die deckenlampe ausschalten",
        "can you the ceiling lamp turn off",
    ),
    (
        "ich habe vergessen das licht auszumachen",
        "i forgot the light to turn off",
    ),
    (
        "ist es im schlafzimmer zu hell",
        "is it in the bedroom too bright",
    ),
    (
        "erinnere mich in zehn minuten an den müll",
        "remind me in 10 minutes the mull",
    ),
    (
        "lass das garagentor offen",
        "leave open the garage door",
    ),
)
LOCKING = (
    "schließ die haustür ab",
    "sperr das tor ab",
    "verriegel die tür",
    "mach die tür zu",
)
FORBIDDEN = (
    "schließ die haustür nicht auf",
    "öffne niemals das garagentor",
    "entriegel die tür nicht",
)
