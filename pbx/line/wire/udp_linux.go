package wire

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// udp4 is a UDP socket over IPv4 whose system calls, none of which can block, are made without telling the scheduler.
// Otherwise the first one after each pause wakes the runtime's monitor thread: a third of the CPU of a lone REGISTER.
type udp4 struct {
	*net.UDPConn
	raw     syscall.RawConn
	reading sync.Mutex
	read    transfer
	writes  sync.Pool // *transfer
}

// transfer is one recvfrom or sendto. do is made once, so that none of them allocates.
type transfer struct {
	b     []byte
	addr  unix.RawSockaddrInet4
	size  uint32 // of addr
	n     int
	errno syscall.Errno
	do    func(fd uintptr) (done bool)
}

func packetConn(c *net.UDPConn) PacketConn {
	raw, err := c.SyscallConn()
	if at := c.LocalAddr().(*net.UDPAddr); err != nil || at.IP.To4() == nil {
		return c
	}
	u := &udp4{UDPConn: c, raw: raw}
	u.read.do = u.read.receive
	u.writes.New = func() any {
		t := &transfer{}
		t.do = t.send
		return t
	}
	return u
}

func (t *transfer) receive(fd uintptr) bool {
	for {
		t.size = unix.SizeofSockaddrInet4
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.b))), uintptr(len(t.b)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&t.addr)), uintptr(unsafe.Pointer(&t.size)))
		if t.n, t.errno = int(n), errno; errno != unix.EINTR {
			return errno != unix.EAGAIN
		}
	}
}

func (t *transfer) send(fd uintptr) bool {
	for {
		_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.b))), uintptr(len(t.b)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&t.addr)), unix.SizeofSockaddrInet4)
		if t.errno = errno; errno != unix.EINTR {
			return errno != unix.EAGAIN
		}
	}
}

// ReadFromUDPAddrPort implements PacketConn.
func (u *udp4) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	u.reading.Lock()
	defer u.reading.Unlock()
	t := &u.read
	t.b = b
	err := u.raw.Read(t.do)
	t.b = nil
	if err == nil && t.errno != 0 {
		err = os.NewSyscallError("recvfrom", t.errno)
	}
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	return t.n, netip.AddrPortFrom(netip.AddrFrom4(t.addr.Addr), swapped(t.addr.Port)), nil
}

// WriteToUDPAddrPort implements PacketConn.
func (u *udp4) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if !to.Addr().Is4() {
		return u.UDPConn.WriteToUDPAddrPort(b, to)
	}
	t := u.writes.Get().(*transfer)
	defer u.writes.Put(t)
	t.b = b
	t.addr = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4(), Port: swapped(to.Port())}
	err := u.raw.Write(t.do)
	t.b = nil
	if err == nil && t.errno != 0 {
		err = os.NewSyscallError("sendto", t.errno)
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// swapped puts a port into network byte order, or back.
func swapped(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
