"""The ROM partition of a virtual board: mapped into memory, written by mpremote, kept over resets."""

import pytest
from groundnet.image import firmware_image, romfs
from groundnet.sim.boardfs import ROM_BYTES, BoardFs
from groundnet.sim.desk import Desk, device_on
from sim.boards import board, run
from sim.test_mpremote import Served

GREETING = b"def hello():\n    return 'from ROM'\n"


def rom(files):
    return romfs.image(files)


def test_modules_are_found_in_rom_and_a_file_of_the_same_name_wins():
    main = "import sys, greet; print(greet.hello(), sys.path[-2:])"
    with board(main, files=BoardFs(rom=rom({"/greet.py": GREETING}))) as device:
        assert run(device) == ["from ROM ['/rom', '/rom/lib']"]
        device.files["/greet.py"] = b"def hello():\n    return 'from a file'\n"
        device.power_off()
        assert run(device)[-1] == "from a file ['/rom', '/rom/lib']"


def test_an_empty_partition_is_not_mounted():
    with board("import sys; print('/rom' in sys.path)") as device:
        assert run(device) == ["False"]


def test_an_image_written_by_the_board_is_there_after_a_reset(tmp_path):
    image = rom({"/greet.py": GREETING})
    main = f"""
import machine, vfs
if vfs.rom_ioctl(2, 0)[0] == 0xff:
    print(vfs.rom_ioctl(1), len(vfs.rom_ioctl(2, 0)), vfs.rom_ioctl(6, 0), vfs.rom_ioctl(3, 0, {len(image)}))
    image = {image!r}
    print(vfs.rom_ioctl(4, 0, 0, image[:20]), vfs.rom_ioctl(4, 0, 20, image[20:]), vfs.rom_ioctl(5, 0))
    print(vfs.rom_ioctl(4, 0, {ROM_BYTES - 1}, b"ab"), vfs.rom_ioctl(2, 1), vfs.rom_ioctl(9, 0))
    machine.reset()
import greet
print(greet.hello())
"""
    with board(main) as device:
        lines = run(device, 5.0)
    assert lines == [f"1 {ROM_BYTES} 4096 16", "0 0 0", "-28 -22 -22", "from ROM"]


def test_folders_and_files_of_one_name_do_not_mix():
    with pytest.raises(ValueError, match="is a file"):
        romfs.image({"/a": b"", "/a/b": b""})


def test_bytecode_runs_where_it_lies():
    """The whole point: the heap holds what the modules define, not their code."""
    image = firmware_image.build("tag", firmware_image.default_board("tag"))
    heaps = []
    for files in (None, BoardFs(image)):
        desk = Desk("tag", firmware_image.default_board("tag"))
        with device_on(desk) as device:
            if files is not None:
                device.board.files = files
            device.power_on()
            device.board.world.run_for(3_000_000)
            heaps.append(device.board.measure_heap())
    in_rom, in_files = heaps
    assert in_rom < in_files * 0.7


def test_stock_mpremote_asks_and_deploys(tmp_path):
    (tmp_path / "greet.py").write_bytes(GREETING)
    served = Served("--blank")
    try:
        assert f"ROMFS0 partition has size {ROM_BYTES} bytes" in served.mpremote("romfs", "query")
        assert "deployed" in served.mpremote("romfs", "deploy", str(tmp_path))
        assert "from ROM" in served.mpremote("soft-reset", "exec", "import greet; print(greet.hello())")
    finally:
        assert served.stop() == 0
