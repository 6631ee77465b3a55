"""Numbers of the SX1262 data sheet (DS_SX1261-2_V2.1): opcodes, interrupts, errors, times, currents."""

from itertools import pairwise

# Chip modes as the status byte shows them (table 13-76); sleep has none, the chip does not answer there.
SLEEP, STANDBY_RC, STANDBY_XOSC, FS, RX, TX = "sleep", "standby", "standby xosc", "fs", "receive", "transmit"
CAD = "channel activity detection"
TURNS = "receive in turns"  # SetRxDutyCycle: mostly asleep
MODE_BITS = {SLEEP: 0, STANDBY_RC: 2, STANDBY_XOSC: 3, FS: 4, RX: 5, TURNS: 5, CAD: 5, TX: 6}

# Command status (table 13-76)
DATA_AVAILABLE, TIMED_OUT, PROCESSING_ERROR, EXECUTION_FAILED, TX_FINISHED = 2, 3, 4, 5, 6

# Interrupts (table 13-29)
TX_DONE = 0x0001
RX_DONE = 0x0002
PREAMBLE_DETECTED = 0x0004
SYNC_WORD_VALID = 0x0008
HEADER_VALID = 0x0010
HEADER_ERROR = 0x0020
CRC_ERROR = 0x0040
CAD_DONE = 0x0080
CAD_DETECTED = 0x0100
TIMEOUT = 0x0200

# Device errors (table 13-85)
RC64K_CALIBRATION, RC13M_CALIBRATION, PLL_CALIBRATION, ADC_CALIBRATION = 0x01, 0x02, 0x04, 0x08
IMAGE_CALIBRATION, XOSC_START, PLL_LOCK, PA_RAMP = 0x10, 0x20, 0x40, 0x100
CALIBRATIONS_WITH_CRYSTAL = PLL_CALIBRATION | ADC_CALIBRATION | IMAGE_CALIBRATION

TIMER_STEP_US = 15.625  # 13.1.4
OVER_CURRENT_STEP_UA = 2_500  # 5.1
OVER_CURRENT_USUAL = 0x38  # 140 mA: SetPaConfig goes back to it
CONTINUOUS = 0xFFFFFF

# Times in microseconds (tables 8-2 and 8-4)
COLD_START_US = 3_500
WARM_START_US = 340
CALIBRATION_US = 3_500
COMMAND_US = 3
SLEEP_QUIET_US = 500  # 9.3: no chip select before that after SetSleep
RESET_PULSE_US = 100  # 8.1
SWITCH_US = {
    (STANDBY_RC, STANDBY_XOSC): 31,
    (STANDBY_RC, FS): 50,
    (STANDBY_RC, RX): 83,
    (STANDBY_RC, TX): 126,
    (STANDBY_XOSC, FS): 40,
    (STANDBY_XOSC, RX): 62,
    (STANDBY_XOSC, TX): 105,
    (FS, RX): 41,
    (FS, TX): 76,
    (RX, FS): 15,
    (RX, TX): 92,
}
PA_RAMP_US = (10, 20, 40, 80, 200, 800, 1700, 3400)  # table 13-41

# Currents in microamperes with DC-DC converter and with LDO (tables 3-4, 3-5)
CURRENT_UA = {
    STANDBY_RC: (600, 600),
    STANDBY_XOSC: (800, 800),
    FS: (2_100, 3_550),
    RX: (4_600, 8_880),
    CAD: (4_600, 8_880),
}
BOOSTED_GAIN_UA = 700
SLEEP_COLD_UA, SLEEP_WARM_UA = 0.16, 0.6
TX_UA = ((-9, 18_000), (10, 32_000), (14, 45_000), (17, 58_000), (20, 84_000), (22, 118_000))  # dBm, uA

# Optimal amplifier settings (table 13-21): hp max -> output in dBm at +22 in SetTxParams.
PA_REACH_DBM = {7: 22, 6: 21, 5: 20, 4: 19, 3: 17, 2: 14, 1: 11, 0: 8}
# TCXO supply by code (table 13-35), millivolts
TCXO_MV = (1600, 1700, 1800, 2200, 2400, 2700, 3000, 3300)
TCXO_START_US = 2_000  # a common part; its own data sheet decides

# LoRa bandwidth codes (table 13-48) and GFSK ones (table 13-45)
LORA_BANDWIDTH_HZ = {
    0x00: 7_810,
    0x08: 10_420,
    0x01: 15_630,
    0x09: 20_830,
    0x02: 31_250,
    0x0A: 41_670,
    0x03: 62_500,
    0x04: 125_000,
    0x05: 250_000,
    0x06: 500_000,
}
GFSK_BANDWIDTH_HZ = {
    0x1F: 4_800,
    0x17: 5_800,
    0x0F: 7_300,
    0x1E: 9_700,
    0x16: 11_700,
    0x0E: 14_600,
    0x1D: 19_500,
    0x15: 23_400,
    0x0D: 29_300,
    0x1C: 39_000,
    0x14: 46_900,
    0x0C: 58_600,
    0x1B: 78_200,
    0x13: 93_800,
    0x0B: 117_300,
    0x1A: 156_200,
    0x12: 187_200,
    0x0A: 234_300,
    0x19: 312_000,
    0x11: 373_600,
    0x09: 467_000,
}

# Registers (section 12) and their values after a cold start
REG_WHITENING = 0x06B8
REG_SYNC_GFSK = 0x06C0
REG_IQ = 0x0736
REG_SYNC_LORA = 0x0740
REG_RANDOM = 0x0819
REG_TX_MODULATION = 0x0889
REG_RX_GAIN = 0x08AC
REG_RETENTION = 0x029F
REG_TX_CLAMP = 0x08D8
REG_OVER_CURRENT = 0x08E7
REG_RTC_CONTROL = 0x0902
RX_GAIN_BOOSTED = 0x96
REGISTER_RESET = {
    REG_RETENTION: b"\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    REG_WHITENING: b"\x01\x00",
    0x06BC: b"\x1d\x0f\x10\x21",  # GFSK CRC: initial value, polynomial
    REG_SYNC_GFSK: b"\x97\x23\x52\x25\x56\x53\x65\x64",
    REG_IQ: b"\x0d",
    REG_SYNC_LORA: b"\x14\x24",
    REG_TX_MODULATION: b"\x01",
    REG_RX_GAIN: b"\x94",
    REG_TX_CLAMP: b"\xc8",
    REG_OVER_CURRENT: b"\x38",
    REG_RTC_CONTROL: b"\x00",
    0x0911: b"\x05\x05",  # crystal trim
    0x0944: b"\x00",
}


def tx_current_ua(power_dbm: float) -> float:
    """Transmit current at an output power, interpolated."""
    for (low_dbm, low_ua), (high_dbm, high_ua) in pairwise(TX_UA):
        if power_dbm <= high_dbm:
            share = max(0.0, (power_dbm - low_dbm) / (high_dbm - low_dbm))
            return low_ua + share * (high_ua - low_ua)
    return TX_UA[-1][1]


def power_at_dbm(current_ua: float) -> float:
    """Output power at a transmit current: the other way round, at most +22 dBm."""
    for (low_dbm, low_ua), (high_dbm, high_ua) in pairwise(TX_UA):
        if current_ua <= high_ua:
            return low_dbm + (current_ua - low_ua) / (high_ua - low_ua) * (high_dbm - low_dbm)
    return TX_UA[-1][0]
