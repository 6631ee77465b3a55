"""Numbers of the calls from a board to its world, read by all three sides: CPython, the glue and the shim.

Only lines ``NAME = number``: the glue takes them by pattern.
"""

# --- life of the board
OUTPUT = 0  # console output, without a reply
BOOT = 1  # waits for power; argument: version of the known flash content
SOFT_RESET = 2  # RAM is about to be lost, power stays
RESET = 3  # machine.reset()
SYNC = 4  # let the time that was spent pass
CONSOLE_READ = 5  # waits; data: bytes that end the read early
CONSOLE_READY = 6

# --- flash; data: path length u16 | path | content
FLASH_COMMIT = 10
FLASH_REMOVE = 11
FLASH_RENAME = 12
FLASH_MAKE_FOLDER = 13
FLASH_SPACE = 14
FLASH_PROGRAM = 15  # argument: size of the file that is being written; data: path length u16 | path

# --- ROM partition
ROM_READ = 16  # argument: known version; result: version now; data: the content if it differs
ROM_ERASE = 17  # argument: bytes from the start
ROM_WRITE = 18  # argument: offset; data: bytes

# --- time and sleep
SLEEP = 20  # argument: microseconds; result: what is left after an interrupt
LIGHT_SLEEP = 21  # argument: milliseconds, -1 for ever
DEEP_SLEEP = 22  # argument: milliseconds, -1 for ever
WAIT = 23  # argument: milliseconds, -1 for ever; data: (kind, number, events) per stream
WATCHDOG_START = 24  # argument: milliseconds
WATCHDOG_FEED = 25
TIMER_START = 26  # argument: number; data: period in microseconds u32 | repeats u8
TIMER_STOP = 27
RTC_SET = 28  # data: Unix time, seconds u32 | microseconds u32; reply: RTC at virtual time zero, us f64
RTC_MEMORY_READ = 29
RTC_MEMORY_WRITE = 30
RESET_CAUSE = 31
WAKE_REASON = 32
WAKE_PINS = 33  # argument: 1 ext0, 2 ext1, 3 gpio; data: level u8 | gpio u8 ...
UNIQUE_ID = 34
TEMPERATURE = 35  # result: degrees Celsius
HEAP = 36  # argument: bytes of heap in use, without what the shim takes

# --- pins and buses; argument: gpio or bus number unless said otherwise
PIN_SETUP = 40  # data: mode u8 | pull u8 | value u8, 255 = leave
PIN_READ = 41
PIN_WRITE = 42  # argument: gpio * 2 + level
PIN_INTERRUPT = 43  # data: trigger u8 | wake u8
ADC_READ = 44  # result: microvolts
I2C_SETUP = 45  # data: frequency u32
I2C_WRITE = 46  # argument: bus * 128 + address
I2C_READ = 47  # argument: bus * 128 + address; data: written before, without a stop
I2C_SCAN = 48
SPI_SETUP = 49  # data: baud rate u32
SPI_TRANSFER = 50
UART_SETUP = 51  # data: baud rate u32 | receive buffer u16
UART_WRITE = 52
UART_READ = 53
UART_ANY = 54
UART_INTERRUPT = 55  # data: trigger u16

# --- network
WLAN_ACTIVE = 60  # argument: 0 off, 1 on, -1 ask
WLAN_CONNECT = 61  # data: name length u8 | name | key
WLAN_STATUS = 62
WLAN_DISCONNECT = 63
SOCKET_OPEN = 64
SOCKET_CONNECT = 65  # argument: socket; data: port u16 | host
SOCKET_SEND = 66
SOCKET_RECEIVE = 67
SOCKET_CLOSE = 68
SOCKET_TLS = 59  # argument: socket; data: name, 0, DER of a CA; reply: why it is refused, or nothing
RESOLVE = 69  # data: host; reply: address text

# --- non-volatile storage; data: namespace length u8 | key length u8 | namespace | key | value
NVS_READ = 70
NVS_WRITE = 71
NVS_ERASE = 72

# --- partitions; errors are those of ESP-IDF (esp_err_t). An entry of the table: type u8 | subtype u8 | address u32 |
# bytes u32 | label 16s
PARTITION_TABLE = 80  # result: entries; data: the entries
PARTITION_CHOOSE = 81  # argument: 0 selected, 1 running, 2 + number: what is updated next; result: number
PARTITION_READ = 82  # argument: address
PARTITION_ERASE = 83  # argument: address; data: bytes u32
PARTITION_WRITE = 84  # argument: address; data: bytes
PARTITION_SELECT = 85  # argument: number of the one that boots next
PARTITION_WORKS = 86  # the selected image is good

# --- kinds of streams in WAIT
STREAM_FOREIGN = 0  # any change at a terminal ends the wait
STREAM_CONSOLE = 1
STREAM_UART = 2
STREAM_SOCKET = 3

# --- kinds of interrupt sources: kind * 256 + number
INTERRUPT_PIN = 0
INTERRUPT_TIMER = 1
INTERRUPT_UART = 2
INTERRUPT_HEAP = 3  # the world asks for HEAP
