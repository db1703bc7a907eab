package media

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveBuffer is what the kernel keeps for a socket, in bytes: more than a second of sound, even if a loop is delayed.
const receiveBuffer = 64 << 10

// poller reads all sockets with a few loops. Each loop is a goroutine that waits on its own epoll instance, which itself is
// waited for by Go's poller, so that no thread blocks. Sockets are assigned to a loop for their life.
// System calls that cannot block are made without telling the scheduler.
type poller struct {
	engine  *Engine
	loops   []*loop
	sockets atomic.Pointer[[]*socket] // by the number that epoll gives back; only ever appended to, under Engine.ports.mu
	next    int
	running sync.WaitGroup

	stopping chan struct{}
}

type loop struct {
	poller   *poller
	file     *os.File
	raw      syscall.RawConn
	epfd     int
	events   [128]unix.EpollEvent
	from     rawAddr
	buf      [packetSize]byte
	counters counters
}

func newPoller(e *Engine, loops int) (*poller, error) {
	p := &poller{engine: e, stopping: make(chan struct{})}
	p.sockets.Store(new([]*socket))
	for range loops {
		l, err := p.newLoop()
		if err != nil {
			p.stop()
			return nil, err
		}
		p.loops = append(p.loops, l)
		p.running.Add(1)
		go l.run()
	}
	return p, nil
}

func (p *poller) newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.NewFile hands only such to the poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{poller: p, epfd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		l.file.Close()
		return nil, err
	}
	return l, nil
}

// stop ends the loops and waits for them. Sockets are closed afterwards, so that no loop can read a descriptor that has
// become another file.
func (p *poller) stop() {
	close(p.stopping)
	for _, l := range p.loops {
		l.file.Close()
	}
	p.running.Wait()
}

func (p *poller) count(st *EngineStats) {
	for _, l := range p.loops {
		l.counters.add(st)
	}
}

func (p *poller) open(at netip.AddrPort, rtcp bool, dscp int) (*socket, error) {
	domain := unix.AF_INET
	if at.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := configure(fd, at, dscp); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &socket{fd: fd, rtcp: rtcp}, nil
}

func configure(fd int, at netip.AddrPort, dscp int) error {
	// Neither the buffer nor the mark is worth failing for.
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	if at.Addr().Is4() {
		if dscp >= 0 {
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, dscp<<2)
		}
		return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}))
	}
	if dscp >= 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, dscp<<2)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}))
}

// add has a loop read both sockets of a pair. It is called with the lock of the engine's ports.
func (p *poller) add(rtp, rtcp *socket) error {
	l := p.loops[p.next%len(p.loops)]
	p.next++
	sockets := *p.sockets.Load()
	n := len(sockets)
	sockets = append(sockets, rtp, rtcp) // what a loop sees of the old slice is not written to
	p.sockets.Store(&sockets)
	for i, s := range sockets[n:] {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(n + i)}
		if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, s.fd, &event); err != nil {
			return os.NewSyscallError("epoll_ctl", err) // closing them takes them out
		}
	}
	return nil
}

func (l *loop) run() {
	defer l.poller.running.Done()
	n := 0
	ready := func(uintptr) bool {
		n = l.wait()
		return n != 0
	}
	for {
		err := l.raw.Read(ready)
		if err != nil || n < 0 {
			select {
			case <-l.poller.stopping:
			default:
				l.poller.engine.log.Error("media: a loop has ended", "error", err)
			}
			return
		}
		l.batch(n)
		if n == len(l.events) {
			runtime.Gosched()
		}
	}
}

// wait returns how many sockets are ready, without waiting; -1 if that cannot be asked.
func (l *loop) wait() int {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR: // nobody would tell again what is ready now
		default:
			return -1
		}
	}
}

func (l *loop) batch(n int) {
	defer l.poller.engine.survive("packet") // what was not read of the batch is reported again
	now := l.poller.engine.now()
	sockets := *l.poller.sockets.Load()
	for _, event := range l.events[:n] {
		s := sockets[event.Fd]
		owner := s.owner.Load() // before reading: what was sent to one stream does not reach the next
		if b, ok := l.receive(s.fd); ok {
			s.dispatch(owner, b, l.from.addr(), now, &l.counters)
		}
	}
}

func (l *loop) receive(fd int) ([]byte, bool) {
	l.from.len = uint32(unsafe.Sizeof(l.from.sa))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&l.buf)), packetSize,
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&l.from.sa)), uintptr(unsafe.Pointer(&l.from.len)))
	return l.buf[:min(n, packetSize)], errno == 0
}

func sendTo(fd int, b []byte, to *rawAddr) bool {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.sa)), uintptr(to.len))
	return errno == 0
}

func closeFD(fd int) { unix.Close(fd) }

// rawAddr is a sockaddr_in or sockaddr_in6.
type rawAddr struct {
	sa  unix.RawSockaddrInet6
	len uint32
}

func (r *rawAddr) set(a netip.AddrPort) {
	*r = rawAddr{}
	port := (*[2]byte)(unsafe.Pointer(&r.sa.Port))
	binary.BigEndian.PutUint16(port[:], a.Port())
	switch {
	case a.Addr().Is4():
		r.sa.Family = unix.AF_INET
		(*unix.RawSockaddrInet4)(unsafe.Pointer(&r.sa)).Addr = a.Addr().As4()
		r.len = unix.SizeofSockaddrInet4
	case a.Addr().Is6():
		r.sa.Family = unix.AF_INET6
		r.sa.Addr = a.Addr().As16()
		r.len = unix.SizeofSockaddrInet6
	}
}

func (r *rawAddr) addr() netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&r.sa.Port))
	p := binary.BigEndian.Uint16(port[:])
	if r.sa.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&r.sa)).Addr), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(r.sa.Addr), p)
}

func fileLimit() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<20))
}
