include(boards/mpconfigboard_esp32c3_common.cmake)

# The board is the folder under hardware/ that make's BOARD names; its table of partitions is the build's.
set(GROUNDNET_PARTITIONS ${MICROPY_BOARD_DIR}/../../${MICROPY_BOARD}/partitions.csv)
if(NOT EXISTS ${GROUNDNET_PARTITIONS})
    message(FATAL_ERROR "There is no ${GROUNDNET_PARTITIONS}: say BOARD=<folder under hardware/>")
endif()
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.groundnet "
CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${GROUNDNET_PARTITIONS}\"
")

list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_BINARY_DIR}/sdkconfig.groundnet)
