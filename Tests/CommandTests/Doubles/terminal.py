"""Runs a command on a pseudo terminal and copies what it shows, byte by byte, to standard output.

    terminal.py ROWS COLUMNS COMMAND ARGUMENT…

SIGUSR1 presses Ctrl-C there. The exit code is the command's.
"""

import fcntl
import os
import pty
import signal
import struct
import sys
import termios


def main():
    rows, columns, *command = sys.argv[1:]
    child, terminal = pty.fork()
    if child == 0:
        # The size is there before the command asks for it.
        size = struct.pack("HHHH", int(rows), int(columns), 0, 0)
        fcntl.ioctl(sys.stdin, termios.TIOCSWINSZ, size)
        os.execv(command[0], command)
    signal.signal(signal.SIGUSR1, lambda *_: os.write(terminal, b"\x03"))
    while True:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # the last process has left the terminal
            break
        if not shown:
            break
        os.write(1, shown)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
