"""What people say to a house."""

SENTENCES = """
turn on the kitchen light
please dim the lamp in the living room to thirty percent
is the garage door still open
it is too dark in here
What's the temperature upstairs?
lock the front door
set a timer for ten minutes
I'm cold
play some jazz in the bathroom
good night
stop
vacuum the hallway now, would you?
how many windows are open
café lights off
close all the blinds on the first floor
make it a little brighter
start the dishwasher when it is cheap
who is at the door
turn everything off except the fridge
open the curtains halfway
what is the humidity in the cellar
the baby is sleeping
do not turn on the heater
set the bedroom to 21.5 °C
warmer light please
next song
volume up
add milk to the shopping list
did I leave the oven on
remind me to water the plants tomorrow at eight in the morning
""".strip().splitlines()
