package media

import (
	"encoding/binary"
	"errors"
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
// waited for by Go's poller, so that no thread blocks; see pace. Sockets are assigned to a loop for their life.
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
	waiting  *waiting
	pace     pace
	events   [128]unix.EpollEvent
	from     rawAddr
	buf      [packetSize]byte
	header   header
	counters counters
}

func newPoller(e *Engine, loops int, busy int64) (*poller, error) {
	if busy == 0 {
		busy = busyRate
	}
	p := &poller{engine: e, stopping: make(chan struct{})}
	p.sockets.Store(new([]*socket))
	for range loops {
		w, err := newWaiting()
		if err != nil {
			p.stop()
			return nil, err
		}
		l := &loop{poller: p, waiting: w, pace: pace{from: busy}}
		p.loops = append(p.loops, l)
		p.running.Add(1)
		go l.run()
	}
	return p, nil
}

// stop ends the loops and waits for them. Sockets are closed afterwards, so that no loop can read a descriptor that has
// become another file.
func (p *poller) stop() {
	close(p.stopping)
	for _, l := range p.loops {
		l.waiting.file.Close()
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
	// None of the options is worth failing for.
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	if at.Addr().Is4() {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE) // see sendTo
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
		if err := unix.EpollCtl(l.waiting.sockets, unix.EPOLL_CTL_ADD, s.fd, &event); err != nil {
			return os.NewSyscallError("epoll_ctl", err) // closing them takes them out
		}
	}
	return nil
}

// run works until the poller stops. One call of Read lasts for all of it, so that no wake-up is lost between two.
func (l *loop) run() {
	defer l.poller.running.Done()
	defer l.waiting.close()
	var failure error
	err := l.waiting.raw.Read(func(uintptr) bool {
		failure = l.drain()
		return failure != nil
	})
	if !l.poller.stopped() {
		l.poller.engine.log.Error("media: a loop has ended", "error", errors.Join(failure, err))
	}
}

// drain reads until nothing is ready, or, of a busy loop, what was ready at this beat.
func (l *loop) drain() error {
	if l.pace.busy {
		l.waiting.beaten()
	}
	for !l.poller.stopped() {
		n, err := l.ready()
		if err != nil {
			return err
		}
		now := l.poller.engine.now()
		l.batch(n, now)
		if l.pace.count(n, now) {
			l.pace.busy = !l.pace.busy
			if err := l.waiting.forBeats(l.pace.busy); err != nil {
				return err
			}
		}
		switch {
		case n == len(l.events):
			runtime.Gosched()
		case n == 0 || l.pace.busy:
			return nil
		}
	}
	return nil
}

func (p *poller) stopped() bool {
	select {
	case <-p.stopping:
		return true
	default:
		return false
	}
}

// ready returns how many sockets are ready, without waiting.
func (l *loop) ready() (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.waiting.sockets), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR: // nobody would tell again what is ready now
		default:
			return 0, os.NewSyscallError("epoll_pwait", errno)
		}
	}
}

func (l *loop) batch(n int, now int64) {
	defer l.poller.engine.survive("packet") // what was not read of the batch is reported again
	sockets := *l.poller.sockets.Load()
	for _, event := range l.events[:n] {
		s := sockets[event.Fd]
		owner := s.owner.Load() // before reading: what was sent to one stream does not reach the next
		if b, ok := l.receive(s.fd); ok {
			s.dispatch(owner, b, l.from.addr(), now, &l.header, &l.counters)
		}
	}
}

func (l *loop) receive(fd int) ([]byte, bool) {
	l.from.len = uint32(unsafe.Sizeof(l.from.sa))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&l.buf)), packetSize,
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&l.from.sa)), uintptr(unsafe.Pointer(&l.from.len)))
	return l.buf[:min(n, packetSize)], errno == 0
}

// sendTo never fragments at first, which spares the kernel the choice of an identification for each packet: a fiftieth of
// all that a packet costs. The first packet that is too long for that makes the socket an ordinary one.
func sendTo(fd int, b []byte, to *rawAddr) bool {
	errno := rawSend(fd, b, to)
	if errno == unix.EMSGSIZE {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_WANT)
		errno = rawSend(fd, b, to)
	}
	return errno == 0
}

func rawSend(fd int, b []byte, to *rawAddr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.sa)), uintptr(to.len))
	return errno
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
