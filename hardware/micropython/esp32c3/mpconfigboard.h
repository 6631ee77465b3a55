// A board of groundnet with an ESP32-C3: bytecode runs from a ROM partition, the console is on the chip's own USB.
// Not on UART0: GPIO 20 and 21 carry the radio's BUSY and SCK (hardware/xiao_c3_sx1262/pinout.csv).

#define MICROPY_HW_BOARD_NAME               "groundnet"
#define MICROPY_HW_MCU_NAME                 "ESP32-C3"

#define MICROPY_VFS_ROM                     (1)
#define MICROPY_HW_ENABLE_UART_REPL         (0)
