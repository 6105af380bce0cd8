"""Phrase banks, written by hand: how people ask for each action and each state.

`{x}` is a device or a group, `{n}` a number, `{c}` a colour, `{v}` an option, `{p}` a
place with its preposition. `(a|b)` means either. A line is a way of saying it.
"""

from __future__ import annotations

from .templates import lines

_ON = """
(turn|switch|put) on {x}
(turn|switch|put|flip) {x} on
{x} on
power (on|up) {x}
(activate|enable|start) {x}
get {x} (going|running|on)
i (want|need) {x} on
make sure {x} is on
{x} should be on
(have|keep) {x} (turned|switched|) on
bring {x} (on|up)
let {x} run
fire up {x}
"""
_OFF = """
(turn|switch|shut) off {x}
(turn|switch|shut|put|flip) {x} off
{x} off
power (off|down) {x}
(deactivate|disable|stop|kill|cut) {x}
shut {x} down
shut down {x}
(i dont need|no more) {x} (anymore|now|)
make sure {x} is off
{x} should be off
{x} can go off
get {x} off
(have|keep) {x} (turned|switched|) off
"""
_TOGGLE = """
toggle {x}
flip {x}
(change|swap|invert) the state of {x}
switch {x} over
"""

ACTIONS: dict[str, tuple[str, ...]] = {
    "light.turn_on": lines(
        _ON
        + """
        (light|brighten) up {x}
        illuminate {x}
        (light|lit) {x} up
        (give|get) me (some|) light from {x}
        {x} needs to be lit
        i cant see (anything|) turn on {x}
        shine {x}
    """
    ),
    "light.turn_off": lines(
        _OFF
        + """
        (extinguish|douse) {x}
        put {x} out
        put out {x}
        (darken|blacken) {x}
        make {x} (go|) dark
        lights out for {x}
    """
    ),
    "light.toggle": lines(_TOGGLE),
    "light.turn_on:brightness": lines("""
        (set|dim|put|change|adjust|turn|bring|get|move|take) {x} to {n} percent
        (set|change|adjust|put|bring|turn) the brightness of {x} to {n} (percent|)
        (set|change|adjust|put) {x} (brightness|) (to|at) {n} percent (brightness|)
        (set|change|adjust) {x} brightness to {n} (percent|)
        {x} (to|at) {n} percent
        {x} {n} percent
        make {x} {n} percent (bright|brightness|)
        brightness of {x} (to|at) {n} (percent|)
        (turn|switch) on {x} (at|to|with) {n} percent (brightness|)
        turn {x} (down|up) to {n} percent
        (dim|lower|raise|reduce|increase) {x} to {n} (percent|)
        (lower|raise|reduce|increase) the brightness of {x} to {n} percent
        i want {x} at {n} percent
        {x} should be at {n} percent (brightness|)
    """),
    "light.turn_on:brightness=100": lines("""
        (set|turn|put|bring) {x} to (maximum|max|full|the highest) (brightness|)
        {x} (full|max|maximum) (brightness|power)
        make {x} as bright as possible
        (crank|turn) {x} all the way up
        (set|turn) the brightness of {x} to (the|) (maximum|max|full|highest)
        (set|turn) {x} brightness to (the|) (maximum|max|full|highest)
        full brightness (for|on|in) {x}
        {x} at full (blast|power|brightness)
        brightest (setting|) for {x}
    """),
    "light.turn_on:brightness=1": lines("""
        (set|turn|put|bring|dim) {x} to (the|) (minimum|min|lowest|dimmest) (brightness|)
        {x} (minimum|lowest) brightness
        make {x} as (dim|dark) as possible
        (turn|dim) {x} all the way down
        (set|turn) the brightness of {x} to (the|) (minimum|min|lowest)
        (set|turn) {x} brightness to (the|) (minimum|min|lowest)
    """),
    "light.turn_on:brightness=50": lines("""
        (set|turn|put|bring|dim) {x} to half (brightness|)
        half brightness for {x}
        {x} (at|to) half (power|brightness|)
        (dim|turn) {x} (down|) halfway
    """),
    "light.turn_on:brightness_step=+20": lines("""
        make {x} brighter
        (brighten|lighten) {x} (up|)
        {x} brighter
        (turn|bring) up {x}
        turn {x} up
        (increase|raise) the brightness of {x}
        (increase|raise) {x} brightness
        more light (from|on) {x}
        {x} (is|are) too (dim|dark)
        {x} (isnt|arent|is not) bright enough
    """),
    "light.turn_on:brightness_step=+10": lines("""
        make {x} a (bit|little|touch|tad) brighter
        (brighten|turn up|raise) {x} (a bit|a little|slightly|somewhat)
        {x} a (bit|little) brighter
        turn {x} up a (bit|little|notch)
        slightly (brighter|more light) (for|on) {x}
    """),
    "light.turn_on:brightness_step=-20": lines("""
        make {x} (darker|dimmer|less bright)
        (dim|darken) {x} (down|)
        dim down {x}
        {x} (dimmer|darker)
        (turn|bring) down {x}
        turn {x} down
        (decrease|lower|reduce) the brightness of {x}
        (decrease|lower|reduce) {x} brightness
        less light (from|on) {x}
        {x} (is|are) (too|so) bright
        {x} (is|are) (blinding|dazzling) me
        tone {x} down
        soften {x}
    """),
    "light.turn_on:brightness_step=-10": lines("""
        make {x} a (bit|little|touch|tad) (darker|dimmer)
        (dim|turn down|lower) {x} (a bit|a little|slightly|somewhat)
        {x} a (bit|little) (dimmer|darker)
        turn {x} down a (bit|little|notch)
    """),
    "light.turn_on:brightness_step=+N": lines("""
        make {x} {n} percent brighter
        (increase|raise) {x} (brightness|) by {n} (percent|)
        (increase|raise) the brightness of {x} by {n} (percent|)
        (brighten|turn up) {x} by {n} (percent|)
    """),
    "light.turn_on:brightness_step=-N": lines("""
        make {x} {n} percent (darker|dimmer)
        (decrease|lower|reduce) {x} (brightness|) by {n} (percent|)
        (decrease|lower|reduce) the brightness of {x} by {n} (percent|)
        (dim|turn down) {x} by {n} (percent|)
    """),
    "light.turn_on:color": lines("""
        (turn|make|set|change|switch|paint) {x} (to|) {c}
        (set|change) the color of {x} to {c}
        (set|change) {x} color to {c}
        {x} {c}
        {x} (in|to) {c}
        color {x} {c}
        i want {x} (in|to be) {c}
        (give|get) {x} (a|) {c} (color|tone|glow)
        (turn|switch) on {x} in {c}
        {c} (light|color) (for|on|in) {x}
    """),
    "light.turn_on:color+brightness": lines("""
        (turn|make|set) {x} (to|) {c} (at|and|with) {n} percent (brightness|)
        (set|put) {x} to {n} percent (and|in) {c}
        {x} {c} {n} percent
    """),
    "light.turn_on:color_temp_kelvin": lines("""
        (set|change|turn) {x} to {n} kelvin
        (set|change) the color temperature of {x} to {n} (kelvin|)
        {x} (at|to) {n} kelvin
    """),
    "light.turn_on:effect": lines("""
        (set|turn|switch) {x} to {v} (effect|mode|)
        (start|play|use|activate) (the|) {v} (effect|mode|) on {x}
        {v} (effect|mode) (on|for) {x}
    """),
    "fan.turn_on": lines(
        _ON
        + """
        spin up {x}
        (let|make) {x} (spin|blow)
        i need some (air|breeze) from {x}
        get some air (moving|going) with {x}
    """
    ),
    "fan.turn_off": lines(
        _OFF
        + """
        (stop|halt) {x} (from spinning|)
        {x} is annoying turn it off
    """
    ),
    "fan.toggle": lines(_TOGGLE),
    "fan.set_percentage:percentage": lines("""
        (set|turn|put|change|run|adjust) {x} (to|at) {n} percent
        (set|change|adjust) the speed of {x} to {n} (percent|)
        (set|change|adjust) {x} speed to {n} (percent|)
        {x} (at|to) {n} percent (speed|)
        {x} speed {n} (percent|)
        (run|spin) {x} at {n} percent (speed|)
    """),
    "fan.set_percentage:percentage=100": lines("""
        (set|turn|put) {x} to (full|maximum|max|the highest) (speed|power|)
        (run|spin) {x} at (full|maximum|max) (speed|power)
        {x} (full|max) (speed|power|blast)
        {x} speed to (the|) (max|maximum|highest)
        {x} as fast as possible
    """),
    "fan.set_percentage:percentage=50": lines("""
        (set|turn|put) {x} to half (speed|power|)
        (run|spin) {x} at half (speed|power)
        {x} (to|on) medium (speed|)
    """),
    "fan.increase_speed": lines("""
        (speed|turn) up {x}
        (speed|turn) {x} up
        (make|let) {x} (spin|go|run|blow) faster
        {x} faster
        (increase|raise) the speed of {x}
        (increase|raise) {x} speed
        {x} (is too slow|should go faster)
        more air from {x}
    """),
    "fan.decrease_speed": lines("""
        slow down {x}
        (slow|turn) {x} down
        turn down {x}
        (make|let) {x} (spin|go|run|blow) slower
        {x} slower
        (decrease|lower|reduce) the speed of {x}
        (decrease|lower|reduce) {x} speed
        {x} (is too fast|is too strong|should go slower)
        less air from {x}
    """),
    "fan.set_preset_mode:preset_mode": lines("""
        (set|put|switch|turn|change) {x} (to|on|into) {v} (mode|)
        (set|change) the (mode|preset) of {x} to {v}
        {x} (to|in) {v} (mode|)
        (use|activate|enable) {v} mode (on|for) {x}
    """),
    "cover.open_cover": lines("""
        open (up|) {x}
        open {x} (up|all the way|completely|fully)
        {x} (up|open)
        (raise|lift|hoist) {x}
        (pull|roll|put|bring) up {x}
        (pull|roll|put|bring|move) {x} (up|open)
        draw {x} (open|back)
        let (some|the|) (light|sun|sunlight|daylight) in (through|with) {x}
        (get|have) {x} open
        i (want|need) {x} open
        make sure {x} is open
        unroll {x} up
        part {x}
    """),
    "cover.close_cover": lines("""
        (close|shut) {x}
        (close|shut) {x} (up|all the way|completely|fully)
        {x} (down|closed|shut)
        (lower|drop) {x}
        (pull|roll|put|bring|let) down {x}
        (pull|roll|put|bring|move|let) {x} down
        (draw|pull) {x} (closed|shut|together)
        block (out|) the (sun|light) with {x}
        (get|have) {x} closed
        i (want|need) {x} closed
        make sure {x} is (closed|shut)
        seal {x}
    """),
    "cover.stop_cover": lines("""
        (stop|halt|freeze|hold|pause) {x}
        stop {x} (there|right there|where it is|from moving|moving)
        {x} stop
        (dont move|stop moving) {x} (any further|)
        leave {x} (there|where it is)
    """),
    "cover.set_cover_position:position": lines("""
        (set|move|open|close|put|adjust|lower|raise) {x} to {n} percent
        open {x} {n} percent
        (set|change) the position of {x} to {n} (percent|)
        (set|change) {x} position to {n} (percent|)
        {x} (to|at) {n} percent
        {x} {n} percent (open|)
        i want {x} {n} percent open
        open {x} (up|) to {n}
    """),
    "cover.set_cover_position:position=50": lines("""
        (open|close|move|set|lower|raise) {x} (halfway|half way|half)
        half (open|close) {x}
        {x} (halfway|half open|to half)
        (open|close) {x} (to|) the middle
    """),
    "cover.set_cover_position:position=25": lines("""
        open {x} a (quarter|crack)
        (open|leave) {x} (just|) a crack (open|)
    """),
    "cover.set_cover_position:position_step=+20": lines("""
        (open|raise|lift) {x} (a bit|a little|slightly|some more|more|further)
        {x} a (bit|little) (higher|more open|up)
        move {x} up a (bit|little)
    """),
    "cover.set_cover_position:position_step=-20": lines("""
        (close|lower|drop) {x} (a bit|a little|slightly|some more|more|further)
        {x} a (bit|little) (lower|more closed|down)
        move {x} down a (bit|little)
    """),
    "cover.set_cover_position:position_step=+N": lines("""
        (open|raise) {x} by {n} percent
        (open|raise) {x} (another|) {n} percent more
        (increase|raise) the position of {x} by {n} (percent|)
    """),
    "cover.set_cover_position:position_step=-N": lines("""
        (close|lower) {x} by {n} percent
        (decrease|lower|reduce) the position of {x} by {n} (percent|)
    """),
    "lock.lock": lines("""
        lock (up|) {x}
        {x} lock
        lock {x} (up|)
        (secure|bolt|latch|fasten|seal) {x}
        (make sure|check that) {x} (is|are) locked
        {x} should be locked
        (put|throw) the (lock|bolt) on {x}
        (keep|get|have) {x} locked
        i want {x} locked
        engage {x}
        nobody should get in through {x}
    """),
    "lock.unlock": lines("""
        unlock {x}
        unlock {x} (up|)
        (unbolt|unlatch|unfasten|release|disengage) {x}
        open (the lock (of|on)|) {x}
        let me in through {x}
        {x} (unlock|unlocked|open)
        i want {x} unlocked
        (undo|take off) the lock (of|on) {x}
    """),
    "media_player.turn_on": lines(_ON),
    "media_player.turn_off": lines(_OFF),
    "media_player.media_play": lines("""
        (play|resume|continue|unpause) {x}
        (resume|unpause|continue|restart) (the|) (music|playback|song|movie|video) (on|in) {x}
        (resume|unpause|continue) (playing|) (on|) {x}
        (start|resume|continue) (playing|playback|the music|the song|the movie) (on|in) {x}
        {x} play
        (hit|press) play on {x}
        (carry on|keep going|go on) (with|on) {x}
        (play|start) (some|the|) music (on|in) {x}
        let {x} play (again|)
    """),
    "media_player.media_pause": lines("""
        pause {x}
        {x} pause
        pause (the music|the song|the movie|playback|the show|what is playing) (on|in) {x}
        (hold|freeze) {x} (for a (second|moment|minute)|)
        (hit|press) pause on {x}
        put {x} on (pause|hold)
        stop {x} for a (moment|second)
        (stop|halt) the music (on|in) {x} for (now|a moment)
    """),
    "media_player.media_stop": lines("""
        stop (the music|playback|playing|the song|the movie) (on|in) {x}
        stop {x}
        {x} stop (playing|)
        end (playback|the music) (on|in) {x}
    """),
    "media_player.media_next_track": lines("""
        (next|skip) (song|track|one|title) (on|in) {x}
        skip (this|the) (song|track) (on|in) {x}
        (play|go to|jump to) the next (song|track|one|episode) (on|in) {x}
        skip (ahead|forward|) on {x}
        {x} next (track|song|)
        another song (on|in) {x}
        i (dont like|hate) this song (on|in) {x}
    """),
    "media_player.media_previous_track": lines("""
        (previous|last) (song|track|one|title) (on|in) {x}
        (play|go back to|go to) the (previous|last) (song|track|one|episode) (on|in) {x}
        go back (a|one) (song|track) on {x}
        {x} (previous|back)
        play that song again on {x}
        (rewind|replay) (the song|the track) on {x}
    """),
    "media_player.volume_up": lines("""
        (turn|crank|pump) up {x}
        turn {x} up
        (increase|raise|turn up) the volume (of|on|in) {x}
        (increase|raise|turn up) {x} volume
        volume up (on|for|in) {x}
        {x} volume up
        {x} (louder|up)
        make {x} louder
        louder (on|in) {x}
        i (cant|cannot|can hardly) hear {x}
        {x} is too (quiet|soft|low)
        boost {x}
    """),
    "media_player.volume_down": lines("""
        turn down {x}
        turn {x} down
        (decrease|lower|reduce|turn down) the volume (of|on|in) {x}
        (decrease|lower|reduce|turn down) {x} volume
        volume down (on|for|in) {x}
        {x} volume down
        {x} (quieter|softer|down)
        make {x} (quieter|softer|less loud)
        (quieter|softer) (on|in) {x}
        {x} is (too|so|way too) loud
        (keep|tone) {x} down
    """),
    "media_player.volume_set:volume": lines("""
        (set|turn|put|change|adjust|bring) the volume (of|on|in) {x} to {n} (percent|)
        (set|turn|put|change|adjust) {x} volume to {n} (percent|)
        (set|turn|put|change|adjust) {x} to {n} percent (volume|)
        volume (of|on|in) {x} (to|at) {n} (percent|)
        {x} volume (to|at|) {n} (percent|)
        {x} (at|to) {n} percent (volume|)
        (turn|raise|lower) {x} (up|down|) to {n} (percent|)
    """),
    "media_player.volume_set:volume=100": lines("""
        (set|turn) the volume (of|on) {x} to (the|) (max|maximum|full)
        {x} (full|max|maximum) volume
        (turn|crank) {x} all the way up
    """),
    "media_player.volume_set:volume=50": lines("""
        (set|turn) the volume (of|on) {x} to half
        {x} (to|at) half volume
    """),
    "media_player.volume_set:volume_step=+N": lines("""
        (increase|raise) the volume (of|on) {x} by {n} (percent|)
        (turn|) (up|raise) {x} (volume|) by {n} (percent|)
        make {x} {n} percent louder
    """),
    "media_player.volume_set:volume_step=-N": lines("""
        (decrease|lower|reduce) the volume (of|on) {x} by {n} (percent|)
        (turn down|lower) {x} (volume|) by {n} (percent|)
        make {x} {n} percent quieter
    """),
    "media_player.volume_mute:is_volume_muted=true": lines("""
        (mute|silence) {x}
        {x} mute
        (turn|switch) the sound off on {x}
        no sound (from|on) {x}
        (cut|kill) the sound (of|on) {x}
        shut {x} up
    """),
    "media_player.volume_mute:is_volume_muted=false": lines("""
        unmute {x}
        {x} unmute
        (turn|switch) the sound (back|) on (on|of) {x}
        take {x} off mute
        (bring back|restore) the sound (of|on) {x}
    """),
    "media_player.select_source:source": lines("""
        (switch|change|set|put|turn) {x} (to|over to) {v}
        (switch|change|set) the (source|input|channel) (of|on) {x} to {v}
        (play|put on|select|choose|open|show|watch) {v} on {x}
        {x} (to|source|input) {v}
        {v} on {x}
    """),
    "climate.turn_on": lines(_ON),
    "climate.turn_off": lines(_OFF),
    "climate.set_temperature:temperature": lines("""
        (set|turn|put|change|adjust|bring|dial|get) {x} to {n} (degrees|)
        (set|change|adjust) the temperature (of|on|for) {x} to {n} (degrees|)
        (set|change|adjust) {x} temperature to {n} (degrees|)
        {x} (to|at) {n} (degrees|)
        {x} {n} (degrees|)
        make {x} {n} degrees
        i want {n} degrees (on|from|for) {x}
        (heat|cool|warm) {x} to {n} (degrees|)
        (turn|raise|lower) {x} (up|down|) to {n} (degrees|)
        (raise|lower|increase|reduce) the temperature (of|on) {x} to {n} (degrees|)
        {x} should be (at|) {n} degrees
    """),
    "climate.set_temperature:temperature_step=+1": lines("""
        (turn|bring) up {x}
        turn {x} up (a bit|a little|a notch|)
        make {x} (a bit|a little|) warmer
        {x} (warmer|hotter)
        (increase|raise) the temperature (of|on) {x} (a bit|a little|)
        (increase|raise) {x} (a bit|a little|)
        {x} is (too|a bit|so) (cold|cool|chilly)
    """),
    "climate.set_temperature:temperature_step=-1": lines("""
        (turn|bring) down {x}
        turn {x} down (a bit|a little|a notch|)
        make {x} (a bit|a little|) (cooler|colder)
        {x} (cooler|colder)
        (decrease|lower|reduce) the temperature (of|on) {x} (a bit|a little|)
        (decrease|lower|reduce) {x} (a bit|a little|)
        {x} is (too|a bit|so) (hot|warm)
    """),
    "climate.set_temperature:temperature_step=+N": lines("""
        (turn up|raise|increase) {x} by {n} (degrees|degree|)
        (turn|move|bring) {x} up (by|) {n} (degrees|degree)
        make {x} {n} (degrees|degree) (warmer|hotter)
        {n} (degrees|degree) (warmer|more|hotter) (on|for|in) {x}
        (raise|increase) the temperature (of|on) {x} by {n} (degrees|degree|)
    """),
    "climate.set_temperature:temperature_step=-N": lines("""
        (turn down|lower|decrease|reduce) {x} by {n} (degrees|degree|)
        (turn|move|bring) {x} down (by|) {n} (degrees|degree)
        make {x} {n} (degrees|degree) (cooler|colder)
        {n} (degrees|degree) (cooler|less|colder) (on|for|in) {x}
        (lower|decrease|reduce) the temperature (of|on) {x} by {n} (degrees|degree|)
    """),
    "climate.set_hvac_mode:hvac_mode=heat": lines("""
        (set|switch|put|turn|change) {x} (to|on|into) (heat|heating) (mode|)
        {x} (to|in) (heat|heating) (mode|)
        (set|change) the mode of {x} to (heat|heating)
        make {x} heat
    """),
    "climate.set_hvac_mode:hvac_mode=cool": lines("""
        (set|switch|put|turn|change) {x} (to|on|into) (cool|cooling) (mode|)
        {x} (to|in) (cool|cooling) (mode|)
        (set|change) the mode of {x} to (cool|cooling)
        make {x} cool
    """),
    "climate.set_hvac_mode:hvac_mode=auto": lines("""
        (set|switch|put|turn|change) {x} (to|on|into) (auto|automatic) (mode|)
        {x} (to|in) (auto|automatic) (mode|)
    """),
    "climate.set_hvac_mode:hvac_mode=heat_cool": lines("""
        (set|switch|put|turn|change) {x} to heat (and|) cool (mode|)
    """),
    "climate.set_hvac_mode:hvac_mode=dry": lines("""
        (set|switch|put|turn|change) {x} (to|on|into) (dry|drying|dehumidify) (mode|)
    """),
    "climate.set_hvac_mode:hvac_mode=fan_only": lines("""
        (set|switch|put|turn|change) {x} (to|on|into) fan (only|) (mode|)
    """),
    "climate.set_preset_mode:preset_mode": lines("""
        (set|put|switch|turn|change) {x} (to|on|into) {v} (mode|preset|)
        (set|change) the (mode|preset) of {x} to {v}
        (use|activate|enable) {v} mode (on|for) {x}
        {x} (to|in) {v} (mode|)
    """),
    "climate.set_fan_mode:fan_mode": lines("""
        (set|change|turn) the fan (mode|speed|) (of|on) {x} to {v}
        (set|change) {x} fan (mode|speed|) to {v}
        {x} fan (on|to) {v}
    """),
    "switch.turn_on": lines(
        _ON
        + """
        plug in {x}
        (give|send) power to {x}
        turn on the power (for|of) {x}
    """
    ),
    "switch.turn_off": lines(
        _OFF
        + """
        (unplug|cut power to) {x}
        cut the power (of|to|for) {x}
    """
    ),
    "switch.toggle": lines(_TOGGLE),
    "input_boolean.turn_on": lines(_ON),
    "input_boolean.turn_off": lines(_OFF),
    "humidifier.turn_on": lines(_ON),
    "humidifier.turn_off": lines(_OFF),
    "humidifier.set_humidity:humidity": lines("""
        (set|turn|put|change) {x} to {n} percent
        (set|change) the humidity (of|on) {x} to {n} (percent|)
        {x} (to|at) {n} percent (humidity|)
    """),
    "vacuum.start": lines("""
        (start|run|launch) {x}
        (turn|switch) on {x}
        {x} (start|clean|go)
        (let|make) {x} (clean|run)
        (start|begin) (cleaning|vacuuming) with {x}
        have {x} clean (up|the floor|)
        send {x} (out|to work)
        {x} should (clean|vacuum)
    """),
    "vacuum.return_to_base": lines("""
        (send|return|bring) {x} (home|back|to its (base|dock))
        (turn|switch) off {x}
        {x} (go home|return|back to base|dock)
        dock {x}
        (stop|end) (cleaning|vacuuming) and send {x} home
    """),
    "vacuum.pause": lines("pause {x}\n{x} pause\nhold {x} for a (moment|second)"),
    "vacuum.stop": lines("stop {x}\n{x} stop\nhalt {x}"),
    "vacuum.locate": lines("""
        (find|locate) {x}
        where is {x}
        (make|let) {x} (beep|ring)
    """),
    "valve.open_valve": lines(
        "open (up|) {x}\n(turn|switch) on {x}\nopen {x} (up|fully)"
    ),
    "valve.close_valve": lines("(close|shut) {x}\n(turn|shut) off {x}\nshut {x} off"),
    "scene.turn_on": lines("""
        (activate|start|set|enable|launch|load|apply) (the|) {x} (scene|)
        (turn|switch) on (the|) {x} (scene|)
        {x} (scene|mood|mode)
        (set|switch to|change to|go to) (the|) (scene|mood) {x}
        {x}
        (make it|time for|lets do|i want) {x}
        (switch|change) to {x}
    """),
    "script.turn_on": lines("""
        (run|start|execute|launch|trigger|activate) (the|) {x} (script|routine|)
        {x} (script|routine)
        (do|perform|play) (the|) {x} (routine|)
        (turn|switch) on {x}
    """),
    "button.press": lines("""
        (press|push|hit|trigger) (the|) {x} (button|)
        {x}
        (activate|use) (the|) {x} button
    """),
}
"""`domain.service`, `:slot`, `:slot=literal` or `:slot=+N` -> templates."""

PLACE_ACTIONS: dict[str, tuple[str, ...]] = {
    "light.turn_on": lines("""
        (its|it is) (too|so|very|really|way too|pretty) (dark|gloomy|dim) {p}
        (i|we) (cant|cannot|can hardly) see (anything|a thing|) {p}
        (give|get) (me|us) (some|more|) light {p}
        (i|we) need (some|) light {p}
        (some|more) light {p}
        (light|lighten) it up {p}
        light {p}
        lights {p}
        lights on {p}
        make it bright {p}
        (its|it is) getting dark {p}
        brighten {p} up
    """),
    "light.turn_off": lines("""
        lights (out|off) {p}
        make it dark {p}
        (i|we) dont need (any|the|) light {p} (anymore|)
        no (more|) light {p}
        (its|it is) light enough {p}
        black out {p}
    """),
    "light.turn_on:brightness_step=-20": lines("""
        (its|it is) (too|so|way too|very) bright {p}
        the light {p} (hurts|is blinding me|is too strong)
        (less|softer) light {p}
        (dim|darken) it {p}
        make it (darker|dimmer|less bright) {p}
    """),
    "light.turn_on:brightness_step=+20": lines("""
        make it brighter {p}
        (its|it is) not bright enough {p}
        brighter {p}
    """),
    "climate.set_temperature:temperature_step=+2": lines("""
        (its|it is) (too|so|very|really|freezing|way too|pretty) cold {p}
        (its|it is) (freezing|chilly|icy|frigid) {p}
        (i am|im|we are|were) (cold|freezing|shivering) {p}
        make it warmer {p}
        warm it up {p}
        warmer {p}
        (heat|warm) up {p}
        a bit warmer {p}
        (raise|increase|turn up) the temperature {p}
        (turn up|crank up) the heat {p}
    """),
    "climate.set_temperature:temperature_step=-2": lines("""
        (its|it is) (too|so|very|really|way too|pretty) (hot|warm) {p}
        (its|it is) (boiling|stuffy and hot|sweltering|an oven) {p}
        (i am|im|we are|were) (hot|sweating|melting|boiling) {p}
        make it (cooler|colder) {p}
        cool it down {p}
        (cooler|colder) {p}
        cool {p} down
        (lower|decrease|reduce|turn down) the temperature {p}
        turn down the heat {p}
    """),
    "climate.set_temperature:temperature": lines("""
        (set|change|adjust) the temperature {p} to {n} (degrees|)
        make it {n} degrees {p}
        (heat|cool|warm) {p} to {n} degrees
        i want (it|) {n} degrees {p}
        {n} degrees {p}
        temperature {p} to {n} (degrees|)
        (set|put|turn) it to {n} degrees {p}
    """),
    "fan.turn_on": lines("""
        (its|it is) (stuffy|stifling|musty|smelly) {p}
        (i|we) need (some|fresh|) air {p}
        it smells {p}
        get some air moving {p}
    """),
    "media_player.volume_up": lines("""
        (turn up|raise|increase) the volume {p}
        volume up {p}
        (louder|make it louder|turn it up) {p}
        i cant hear (it|the music) {p}
    """),
    "media_player.volume_down": lines("""
        (turn down|lower|decrease|reduce) the volume {p}
        volume down {p}
        (quieter|make it quieter|turn it down) {p}
        (its|it is|the music is) too loud {p}
    """),
    "media_player.volume_set:volume": lines("""
        (set|turn|change|adjust) the volume {p} to {n} (percent|)
        volume {p} (to|at|) {n} (percent|)
    """),
    "media_player.media_pause": lines("""
        pause (the music|the song|the movie|playback|) {p}
        hold the music {p}
    """),
    "media_player.media_play": lines("""
        (resume|continue|unpause) (the music|the song|the movie|playback|music|) {p}
        (play|start|put on) (some|the|) music {p}
    """),
    "media_player.media_next_track": lines("""
        (next|skip) (song|track) {p}
        skip (this|the) (song|track) {p}
        (skip|next) {p}
    """),
    "media_player.media_previous_track": lines("""
        (previous|last) (song|track) {p}
        go back (a|one) (song|track) {p}
    """),
    "media_player.volume_mute:is_volume_muted=true": lines("""
        mute (the music|the sound|) {p}
        (silence|no sound) {p}
    """),
    "light.turn_on:brightness": lines("""
        (set|change|adjust) the brightness {p} to {n} (percent|)
        brightness {p} (to|at|) {n} (percent|)
        (dim|set) {p} to {n} percent
        {n} percent (brightness|light) {p}
    """),
    "light.turn_on:brightness=100": lines("""
        (full|max|maximum) brightness {p}
        set the brightness {p} to (the|) (max|maximum|full)
    """),
    "light.turn_on:brightness=1": lines("""
        (minimum|lowest) brightness {p}
        set the brightness {p} to (the|) (minimum|lowest)
    """),
    "light.turn_on:color": lines("""
        (make|turn|set|paint|color) {p} {c}
        (set|change) the (light|lights|color) {p} to {c}
        {c} light {p}
    """),
    "cover.open_cover": lines("""
        let (some|the|) (sun|sunlight|daylight|light) in {p}
        let the (sun|day) (shine|) in {p}
    """),
    "cover.close_cover": lines("""
        (keep|block|shut) (out|) the sun (out|) {p}
        the sun is (blinding|too strong|in my eyes) {p}
    """),
    "homeassistant.turn_off": lines("""
        (turn|switch|shut) (off everything|everything off) {p}
        everything off {p}
        (shut down|kill) everything {p}
        (turn|switch) all (the|) devices off {p}
        turn {p} off
    """),
    "homeassistant.turn_on": lines("""
        (turn|switch) (on everything|everything on) {p}
        everything on {p}
        (turn|switch) all (the|) devices on {p}
    """),
}
"""What is asked of a place without naming a device."""

GROUP_NOUNS: dict[str, tuple[str, ...]] = {
    "light": (
        "lights",
        "lights",
        "lights",
        "lamps",
        "lighting",
        "light",
        "lamp",
        "leds",
    ),
    "fan": ("fans", "fans", "fan", "ventilation"),
    "cover": (
        "blinds",
        "shades",
        "curtains",
        "shutters",
        "covers",
        "drapes",
        "blind",
        "curtain",
        "shutter",
    ),
    "lock": ("locks", "doors", "locks"),
    "media_player": ("tvs", "speakers", "tv", "speaker", "media players", "music"),
    "climate": ("heating", "thermostats", "thermostat", "ac", "radiators", "heaters"),
    "switch": ("switches", "plugs", "outlets", "sockets", "switch"),
    "vacuum": ("vacuums", "robots", "vacuum"),
}
"""How the members of a domain are called together; singular ones stand for the room's."""

STATE_QUESTIONS: dict[str, tuple[str, ...]] = {
    "on": ("on", "turned on", "switched on", "running", "still on"),
    "off": ("off", "turned off", "switched off", "still off"),
    "open": ("open", "up", "opened", "still open"),
    "closed": ("closed", "shut", "down", "still closed"),
    "locked": ("locked", "bolted", "secured", "still locked"),
    "unlocked": ("unlocked", "not locked", "still unlocked"),
    "playing": ("playing", "playing something", "playing music"),
    "paused": ("paused", "on pause"),
    "idle": ("idle",),
    "detected": ("detected", "triggered", "active", "tripped", "going off"),
    "clear": ("clear", "not triggered", "inactive"),
    "wet": ("wet", "leaking", "damp"),
    "dry": ("dry",),
    "low": ("low", "almost empty", "running low"),
    "heat": ("heating", "in heat mode", "set to heat"),
    "cool": ("cooling", "in cool mode", "set to cool"),
}
STATES_OF_CLASS: dict[str, tuple[str, ...]] = {
    "door": ("open", "closed"),
    "window": ("open", "closed"),
    "opening": ("open", "closed"),
    "motion": ("detected", "clear", "on"),
    "occupancy": ("detected", "clear"),
    "presence": ("detected", "clear"),
    "smoke": ("detected", "clear"),
    "moisture": ("wet", "dry", "detected"),
    "battery": ("low",),
    "tamper": ("detected", "on"),
    "vibration": ("detected",),
    "problem": ("detected", "on"),
}
"""States that people ask of a binary sensor of that class."""

STATES_OF_DOMAIN: dict[str, tuple[str, ...]] = {
    "light": ("on", "off"),
    "fan": ("on", "off"),
    "switch": ("on", "off"),
    "humidifier": ("on", "off"),
    "cover": ("open", "closed"),
    "lock": ("locked", "unlocked"),
    "media_player": ("on", "off", "playing", "paused"),
    "climate": ("on", "off", "heat", "cool"),
    "valve": ("open", "closed"),
    "binary_sensor": ("open", "closed"),
    "door": ("open", "closed"),
    "window": ("open", "closed"),
    "motion": ("detected", "on"),
    "leak": ("wet", "detected"),
    "smoke": ("detected",),
    "battery": ("low",),
    "vacuum": ("on", "idle"),
}
YES_NO = lines("""
    (is|are) {x} {s}
    {x} {s}
    (did (i|we|somebody|someone) leave|have i left) {x} {s}
    (if|whether) {x} is {s}
    check (if|whether) {x} (is|are) {s}
    (is|are) {x} {s} or not
    did (i|we) forget {x} {s}
""")
OPEN_STATE = lines("""
    (what is|whats|tell me) the (state|status|condition) of {x}
    {x} (status|state)
    (status|state) of {x}
    (check|check on) {x}
    how (is|are) {x} (doing|)
    what (is|are) {x} doing
    (whats up|what is going on|whats happening) with {x}
""")
VALUE_QUESTIONS: dict[str, tuple[str, ...]] = {
    "temperature": lines("""
        (what is|whats|tell me) the temperature (of|on|from) {x}
        (what|which) temperature (is|does) {x} (show|at|set to|have)
        {x} temperature
        how (warm|hot|cold) is {x}
        (what|which) temperature is {x} set to
    """),
    "humidity": lines("""
        (what is|whats) the humidity (of|on|from) {x}
        how humid is {x}
    """),
    "brightness": lines("""
        (what is|whats|tell me) the brightness of {x}
        how bright (is|are) {x}
        (what|which) brightness (is|does) {x} (have|set to|at)
    """),
    "volume": lines("""
        (what is|whats|tell me) the volume (of|on) {x}
        how loud is {x}
        (what|which) volume (is|does) {x} (have|set to|at)
    """),
    "position": lines("""
        (what is|whats) the position of {x}
        how (far|wide) (is|are) {x} open
    """),
    "speed": lines("""
        (what is|whats) the speed of {x}
        how fast is {x} (running|spinning|going|)
    """),
    "media": lines("""
        (what is|whats|what song is) playing on {x}
        what (song|track|movie) is (on|playing on) {x}
        what is {x} playing
    """),
    "mode": lines("""
        (what|which) mode is {x} in
        (what is|whats) the mode of {x}
    """),
    "color": lines("""
        (what|which) color (is|are) {x}
        (what is|whats) the color of {x}
    """),
    "battery": lines("""
        (what is|whats) the battery (level|charge|) of {x}
        how full is the battery of {x}
        {x} battery (level|)
    """),
    "power": lines("""
        how much (power|electricity) (is|does) {x} (using|use|drawing|draw|consuming)
        (what is|whats) the power (consumption|draw|) of {x}
    """),
    "energy": lines("""
        how much energy (has|did) {x} (used|use|consumed)
        (what is|whats) the energy (consumption|) of {x}
    """),
}
PLACE_VALUES: dict[str, tuple[str, ...]] = {
    "temperature": lines("""
        (what is|whats|tell me) the temperature {p}
        how (warm|cold|hot) is it {p}
        (what|which) temperature is it {p}
        temperature {p}
        how many degrees (is it|are there) {p}
    """),
    "humidity": lines("""
        (what is|whats|tell me) the humidity {p}
        how humid is it {p}
        humidity {p}
    """),
}
OVER_SCOPE: dict[str, tuple[str, ...]] = {
    "any": lines("""
        (are|is) (any|there any|any of the|some) {g} {s} {p}
        (are|is) there (any|a) {g} {s} {p}
        (did|have) (i|we) (leave|left) any {g} {s} {p}
        any {g} {s} {p}
    """),
    "all": lines("""
        are all (the|of the|my|) {g} {s} {p}
        (is|are) (every|each) {g} {s} {p}
        are the {g} {s} {p}
        all {g} {s} {p}
    """),
    "list": lines("""
        (which|what) {g} are {s} {p}
        (list|name|tell me) (all|) the {g} that are {s} {p}
        (which|what) {g} (did|have) (i|we) (leave|left) {s} {p}
        show me (the|all|) {g} that are {s} {p}
    """),
    "count": lines("""
        how many {g} are {s} {p}
        (count|number of) (the|) {g} {s} {p}
        how many of the {g} are {s} {p}
    """),
}
SCOPE_NOUNS: dict[str, tuple[str, ...]] = {
    "light": ("lights", "lamps"),
    "fan": ("fans",),
    "cover": ("blinds", "shades", "curtains", "shutters", "covers"),
    "lock": ("locks", "doors"),
    "media_player": ("tvs", "speakers", "players"),
    "climate": ("thermostats", "heaters"),
    "switch": ("switches", "plugs", "outlets"),
    "door": ("doors",),
    "window": ("windows",),
    "motion": ("motion sensors",),
    "vacuum": ("vacuums", "robots"),
    "leak": ("leak sensors", "water sensors"),
    "smoke": ("smoke detectors", "smoke alarms"),
    "battery": ("batteries",),
}
SENSED: dict[str, tuple[str, ...]] = {
    "motion": lines("""
        is there (any|) (motion|movement|activity) {p}
        (is|was) (somebody|someone|anybody|anyone) {p}
        (any|) (motion|movement) {p}
        (is|has) (motion|movement) (been|) detected {p}
        is anything moving {p}
    """),
    "smoke": lines("""
        is there (any|) (smoke|gas|a fire) {p}
        (any|) smoke {p}
        is smoke detected {p}
    """),
    "leak": lines("""
        is there (a|any|) (water|leak|leakage|flooding) {p}
        (any|) leaks {p}
        is (water|a leak) detected {p}
    """),
}
"""Questions about what sensors notice, without naming one: the query is `any`."""
NEGATIONS = lines("""
    (dont|do not|never) (turn|switch) (on|off) {x}
    (dont|do not) (open|close|lock|unlock|touch|change|start|stop|dim) {x}
    leave {x} (alone|as it is|on|off)
    (dont|do not) (turn|switch) {x} (on|off)
    (please|) do not do anything (to|with) {x}
    (keep|leave) {x} (as it is|the way it is)
    never mind {x}
    forget (about|) {x}
""")
STAY = lines("""
    (never mind|nothing|forget it|cancel that|leave it|no thanks|stop)
    (do nothing|dont do anything|dont bother|its fine|all good)
""")
CHAT = lines("""
    (tell|give) me a joke
    (who|what) are you
    (what is|whats) your name
    how are you (doing|) (today|)
    (what is|whats) the meaning of life
    (who|what) is the (president|capital|king|mayor) of (france|spain|germany|this city)
    sing (me|) a song
    (do you|you) (like|love) (me|cats|dogs|pizza|music)
    (what|which) (movie|book) should i (watch|read)
    how (old|tall|far) is (the moon|the eiffel tower|my grandmother|he)
    (order|buy) (me|) (a pizza|some food|new shoes)
    (send|write) (an email|a message) to (my mother|bob|anna)
    (translate|spell|define) (hello|house|serendipity)
    (what is|whats) (two|five|seven) (plus|times|minus) (two|nine|three)
    (book|call) (a|me a) (taxi|table|doctor|cab)
    (i am|im) (bored|hungry|tired|happy|sad)
    (that is|thats|this is) (nice|great|stupid|funny|cool)
    (tell|read) me (the news|a story|something)
    (how|what) do (birds|planes) (fly|eat)
    (will|is) it (going to|) (rain|snow) (tomorrow|today|on sunday)
    why is the sky blue
    you are (stupid|great|funny|amazing)
    (remind|wake) me (tomorrow|later|at seven)
    blah blah
    i (love|miss|hate) you
    (what is|whats) for dinner
    testing testing
""")
HELLO = lines(
    "(hi|hello|hey|good morning|good evening|good afternoon|howdy|greetings) (there|al|)"
)
THANKS = lines(
    "(thanks|thank you|cheers|thx|many thanks|great thanks) (a lot|so much|al|very much|)"
)
TIME = lines("""
    (what time is it|what is the time|whats the time|tell me the time|the time) (now|)
    how late is it
    (do you have|got) the time
""")
DATE = lines("""
    (what|which) (day|date) is (it|today) (today|)
    (what is|whats) (the|todays) date (today|)
    what day of the week is it
""")
