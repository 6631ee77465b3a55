"""What goes into the cores and what comes out: the one list of both.

An event or an action is a tuple: its number from here, then its values in the order stated behind it. The
cores answer an event with a list of actions; the app carries them out in that order, each to its end, before
it hands over the next event. A STORE is in flash before the action behind it begins: a counter is kept before
it is used.
"""

from groundwire.constant import const

# --- events: (number, values...)

BOOT = const(1)  # cause: one of the BOOT_ causes below
TICK = const(2)  # the deadline has come; harmless at any other time
MOTION = const(3)  # the accelerometer's wake-up interrupt fired
SAMPLES = const(4)  # samples: int16 milli-g x, y, z, x, ... oldest first; count: triples that are valid
RADIO_SENT = const(5)  # the frame of the last RADIO_SEND is on air, its end is now
RADIO_FAILED = const(6)  # reason: one of the FAILED_ reasons below; the frame was not sent
RADIO_RECEIVED = const(
    7
)  # data: bytes; rssi_dbm; snr_cdb (0.01 dB); its end is now; number of the plan that heard it
RADIO_SILENT = const(8)  # the receive window ended without a good frame
BATTERY = const(9)  # battery_mv
GNSS_BYTES = const(10)  # data: whatever the receiver sent, cut anywhere; read before the call ends
MODEM_READY = const(11)  # registered in a network
MODEM_LOST = const(12)  # no network, or the modem restarts
CELLS = const(13)  # cells: (mcc, mnc, area, cell_id, dBm or None, radio), serving one first; may be empty
SMS_DONE = const(14)  # sent: True or False
NET_UP = const(15)  # the TCP connection to the collector is open
NET_DOWN = const(16)  # it could not be opened, or it closed
NET_BYTES = const(17)  # data: bytes from the collector
SIREN_DONE = const(18)  # the siren fell silent by itself
SUPPLY = const(19)  # external_mv: 0 when the main supply was cut
INPUT = const(20)  # which: one of the INPUT_ inputs below; active: 1 or 0, debounced
FAULT = const(21)  # part: its name on the board; text: what it complains about, "" when it works again
SHELF = const(25)  # number: the oldest segment of sightings in flash, None: none; records: list of bytes
SHELF_LOST = const(26)  # count: sightings given up because their place in flash was full
FREE_FALL = const(24)  # the accelerometer feels no weight; of a tag that watches its wearer's falls
UPDATE_TOLD = const(23)  # values: fields of update_state and firmware, or code and detail of a refusal
HEALTH = const(28)  # noise_dbm, load_permille, ring_permille, temperature_c: each None when not known
NETWORK_TIME = const(22)  # unix_s: the time as the modem's network tells it, good to a few seconds

BOOT_POWER_ON = const(0)
BOOT_RESET = const(1)  # reset button, software, REPL
BOOT_WATCHDOG = const(2)
BOOT_WAKE = const(3)  # end of deep sleep, with the snapshot intact
BOOT_BROWNOUT = const(4)

INPUT_BUTTON = const(1)  # pressed; on a wearable: SOS
INPUT_STRAP = const(2)  # opened
INPUT_CASE = const(3)  # opened
INPUT_PIR = const(4)  # somebody moves

FAILED_CHANNEL_BUSY = const(1)  # listen-before-talk found the channel in use
FAILED_HARDWARE = const(2)  # the radio did not do it
FAILED_NOT_ALLOWED = const(3)  # the region plan forbids it: channel, duration, or the share of this hour

# --- actions: (number, values...)

STORE = const(32)  # name: one of groundcore.store's records; data: bytes
WATCH_MOTION = const(33)  # threshold_mg: arm the wake-up interrupt, 0 = disarm it
SAMPLE = const(34)  # period_ms: hand over the FIFO as SAMPLES that often, 0 = stop
RADIO_SEND = const(35)  # data; channel: a region.Channel; delay_ms: start that long after the event's end
RADIO_LISTEN = const(36)  # channel; window_ms: 0 = until the next radio action
RADIO_SLEEP = const(37)
READ_BATTERY = const(38)  # answered by BATTERY
GNSS_ON = const(39)
GNSS_STANDBY = const(40)  # keep ephemerides and clock
MODEM_ON = const(41)
MODEM_OFF = const(42)
REQUEST_CELLS = const(43)  # answered by CELLS
SEND_SMS = const(44)  # number; text; answered by SMS_DONE
NET_OPEN = const(45)  # host; port; answered by NET_UP or NET_DOWN
NET_SEND = const(46)  # data: whole link frames
NET_CLOSE = const(47)
SIREN = const(48)  # duration_ms: 0 = silence now
CHIRP = const(49)  # count: short signals, a fifth of a second each
LIGHT = const(50)  # pattern: one of the LIGHT_ patterns below
SET_CLOCK = const(51)  # unix_ms: set the real-time clock
LOG = const(52)  # level: 0 debug .. 3 error; event: a short fixed word; text
LINK_SEND = const(53)  # data: bytes for the serial link
LINK_CLOSE = const(54)  # back to text on the console
SELF_TEST = const(55)  # parts: list of names; answer with Service.tested()
RESTART = const(56)  # reset the board: identity or settings are new
BUZZ = const(57)  # count: short vibrations that the wearer feels; a board without a motor beeps
RADIO_WATCH = const(58)  # channel: as RADIO_LISTEN with window 0, asleep in turns; hears long preambles
UPDATE = const(59)  # request: name of an update message; values: its fields; answer with Service.updated()
OPEN_CONSOLE = const(60)  # duration_s: so long a locked device takes text and Ctrl-C; the link may close
FORGET_HISTORY = const(61)  # throw away what waits to be reported; it is gone when this was carried out
KEEP_HISTORY = const(62)  # records: list of bytes, in the ring in flash before the action behind it begins
SHELVE = const(64)  # records: list of bytes, appended to the sightings in flash
TAKE_SHELF = const(65)  # answered by SHELF
DROP_SHELF = const(66)  # number: that segment is at the collector
READ_HEALTH = const(69)  # answered by HEALTH
UPDATE_STEP = const(63)  # request: name of an update message; values: its fields; answered by UPDATE_TOLD
SCREEN = const(67)  # view: what a finder's screen shows, see finder_view.View; None: dark
FOLLOW = const(68)  # request: name of a finder's message; values: its fields; answer with Service.answered()

LIGHT_OFF = const(0)
LIGHT_OK = const(1)  # at work
LIGHT_ALARM = const(2)
LIGHT_NO_NETWORK = const(3)
LIGHT_BLANK = const(4)  # not provisioned
