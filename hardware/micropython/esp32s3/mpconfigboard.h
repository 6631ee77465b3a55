// A board of groundnet with an ESP32-S3: bytecode runs from a ROM partition, the console is on UART0, where these boards
// have their USB bridge, and on the chip's own USB.

#define MICROPY_HW_BOARD_NAME               "groundnet"
#define MICROPY_HW_MCU_NAME                 "ESP32-S3"

#define MICROPY_VFS_ROM                     (1)
#define MICROPY_HW_ENABLE_UART_REPL         (1)
