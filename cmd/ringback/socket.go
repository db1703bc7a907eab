package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// socketName is the Unix socket of the command line in the data directory.
const socketName = "ringback.sock"

// maxSocketPath is what fits in sockaddr_un on every system.
const maxSocketPath = 100

// socketPath is a path to the socket that is short enough to be used until done is called.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketName), func() { d.Close() }, nil
}

// listenSocket makes the socket, readable by the owner only. The data directory is locked by this process, so that
// a socket found there is left over from one that died.
func listenSocket(dir string) (net.Listener, error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // its short path is not valid any more by then
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
