package media

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A loop that gets many packets would be woken for nearly each of them, and waking costs more than reading. So a busy loop
// does not wait for packets but for the next beat, and then reads all that have come. That adds less than a beat to a
// packet's way. A loop that is not busy waits for packets: one call is relayed at once, and an idle PBX is not woken.
//
// What a loop waits for is an outer epoll instance, known to Go's poller, with two members: the epoll instance of the
// sockets, which a busy loop masks, and a timer, which is set only for a busy one. It is a timerfd because Go's own
// timers wake a program that has nothing else to do by full milliseconds.
const (
	beat     = 500 * time.Microsecond
	window   = int64(10 * time.Millisecond) // at least; the rate is taken over it
	busyRate = 4000                         // packets a second, twice the beats; half of it ends it
)

// pace decides how a loop waits.
type pace struct {
	from    int64 // packets a second from which a loop is busy
	busy    bool
	since   int64 // beginning of the window
	packets int64 // in it
}

// count notes what was read and reports whether the other way of waiting is due.
func (p *pace) count(packets int, now int64) (change bool) {
	p.packets += int64(packets)
	passed := now - p.since
	if passed < window {
		return false
	}
	rate := p.packets * int64(time.Second) / passed
	p.since, p.packets = now, 0
	if p.busy {
		return rate < p.from/2
	}
	return rate >= p.from
}

// waiting is what a loop waits for.
type waiting struct {
	file           *os.File        // outer, as Go's poller has it
	raw            syscall.RawConn // of file
	outer          int
	sockets, timer int
}

func newWaiting() (w *waiting, err error) {
	w = &waiting{sockets: -1, timer: -1}
	if w.outer, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	err = os.NewSyscallError("fcntl", unix.SetNonblock(w.outer, true)) // os.NewFile hands only such to the poller
	w.file = os.NewFile(uintptr(w.outer), "epoll")
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	if w.raw, err = w.file.SyscallConn(); err != nil {
		return nil, err
	}
	if w.sockets, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	for _, fd := range []int{w.sockets, w.timer} {
		event := unix.EpollEvent{Events: unix.EPOLLIN}
		if err = unix.EpollCtl(w.outer, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	return w, nil
}

// forBeats has the timer waited for, or else the sockets. What is ready in those when they count again is reported.
func (w *waiting) forBeats(yes bool) error {
	var every unix.Timespec
	event := unix.EpollEvent{Events: unix.EPOLLIN}
	if yes {
		every, event.Events = unix.NsecToTimespec(int64(beat)), 0
	}
	if err := unix.TimerfdSettime(w.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.outer, unix.EPOLL_CTL_MOD, w.sockets, &event))
}

// beaten sets the timer for the next beat: it does not run on before it is read.
func (w *waiting) beaten() {
	var times uint64
	syscall.RawSyscall(unix.SYS_READ, uintptr(w.timer), uintptr(unsafe.Pointer(&times)), unsafe.Sizeof(times))
}

// close must not be called before the loop has ended.
func (w *waiting) close() {
	w.file.Close()
	for _, fd := range []int{w.sockets, w.timer} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
