// Relayload measures the relay with real sockets: what a packet costs it, how long it is delayed, how many are lost.
//
//	go build -o /tmp/relayload ./media/testdata/relayload && taskset -c 1-3 /tmp/relayload -calls 500 -seconds 20 -cpu 0
//
// The relay runs in a process of its own on one processor; both phones of all calls are in this one.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ringback/media"
)

var (
	calls   = flag.Int("calls", 500, "calls, two streams each")
	seconds = flag.Int("seconds", 20, "how long")
	onCPU   = flag.String("cpu", "0", "processor of the relay")
	recode  = flag.Bool("transcode", false, "PCMU to PCMA")
	rate    = flag.Int("rate", 50, "packets a second and stream")
	serving = flag.Bool("serve", false, "be the relay")
	profile = flag.String("profile", "", "the relay's CPU profile")
)

func main() {
	flag.Parse()
	log.SetFlags(0)
	if *serving {
		serve()
		return
	}
	load()
}

// serve reads pairs of phone addresses and answers with its own; at the end of the input it stops.
func serve() {
	if *profile != "" {
		f, err := os.Create(*profile)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	e, err := media.New(media.Options{Bind: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, MinPort: 20000, MaxPort: 29999})
	check(err)
	defer e.Close()
	fmt.Println(rss())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "stats" {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Println(cpu().Microseconds(), rss(), m.Mallocs)
			continue
		}
		var streams [2]*media.Stream
		for i, addr := range strings.Fields(in.Text()) {
			remote := netip.MustParseAddrPort(addr)
			s, err := e.Open(media.StreamOptions{Remote: remote.Addr()})
			check(err)
			codec, pt := media.PCMU, uint8(0)
			if i == 1 && *recode {
				codec, pt = media.PCMA, 8
			}
			s.Agree(media.Agreement{Remote: remote, Send: true, Recv: true,
				Formats: []media.Format{{Codec: codec, SendPT: pt, RecvPT: pt}}})
			streams[i] = s
		}
		check(streams[0].Connect(streams[1]))
		fmt.Println(streams[0].LocalRTP(), streams[1].LocalRTP())
	}
}

func load() {
	args := []string{"-c", *onCPU, os.Args[0], "-serve", fmt.Sprintf("-transcode=%v", *recode), "-profile", *profile}
	relay := exec.Command("taskset", args...)
	relay.Stderr = os.Stderr
	w, err := relay.StdinPipe()
	check(err)
	r, err := relay.StdoutPipe()
	check(err)
	check(relay.Start())
	out := bufio.NewScanner(r)
	ask := func(s string, to ...any) {
		if s != "" {
			fmt.Fprintln(w, s)
		}
		if !out.Scan() {
			log.Fatal("the relay has ended")
		}
		_, err := fmt.Sscan(out.Text(), to...)
		check(err)
	}
	var idle int64
	ask("", &idle)

	type end struct {
		fd int
		to unix.Sockaddr
	}
	var ends []end
	for range *calls {
		a, aAddr := listen()
		b, bAddr := listen()
		var sa, sb string
		ask(aAddr+" "+bAddr, &sa, &sb)
		ends = append(ends, end{a, sockaddr(sa)}, end{b, sockaddr(sb)})
	}
	start := time.Now()
	var got, sent atomic.Int64
	var delays []time.Duration
	done := make(chan struct{})
	var polling sync.WaitGroup
	polling.Add(1)
	// The sockets are polled, so that the relay does not pay for waking their reader; the kernel notes the arrival.
	go func() {
		defer polling.Done()
		runtime.LockOSThread()
		buf, oob := make([]byte, 1500), make([]byte, 64)
		for {
			for _, x := range ends {
				for {
					n, oobn, _, _, err := unix.Recvmsg(x.fd, buf, oob, unix.MSG_DONTWAIT)
					if err != nil {
						break
					}
					if n != 172 || oobn < 32 {
						continue // RTCP comes to another port
					}
					got.Add(1)
					arrival := int64(binary.NativeEndian.Uint64(oob[16:]))*1e9 + int64(binary.NativeEndian.Uint64(oob[24:]))
					delays = append(delays, time.Duration(arrival-int64(binary.BigEndian.Uint64(buf[n-8:]))))
				}
			}
			select {
			case <-done:
				return
			default:
				time.Sleep(500 * time.Microsecond)
			}
		}
	}()
	var cpu0, rss0, mal0, cpu1, rss1, mal1 int64
	send := func(d time.Duration) {
		runtime.LockOSThread()
		b := make([]byte, 172)
		begin := time.Now()
		ticks := int(d / time.Millisecond)
		period := 1000 / *rate
		for t := range ticks {
			for time.Since(begin) < time.Duration(t)*time.Millisecond {
				time.Sleep(100 * time.Microsecond)
			}
			for i := t % period; i < len(ends); i += period {
				b[0], b[1] = 0x80, 0
				if i%2 == 1 && *recode {
					b[1] = 8
				}
				seq := int(time.Since(start).Milliseconds()) / period
				binary.BigEndian.PutUint16(b[2:], uint16(seq))
				binary.BigEndian.PutUint32(b[4:], uint32(seq*160))
				binary.BigEndian.PutUint32(b[8:], uint32(i+1))
				binary.BigEndian.PutUint64(b[164:], uint64(time.Now().UnixNano()))
				unix.Sendto(ends[i].fd, b, 0, ends[i].to)
				sent.Add(1)
			}
		}
	}
	send(2 * time.Second)
	ask("stats", &cpu0, &rss0, &mal0)
	before := sent.Load()
	send(time.Duration(*seconds) * time.Second)
	packets := sent.Load() - before
	ask("stats", &cpu1, &rss1, &mal1)
	time.Sleep(200 * time.Millisecond)
	w.Close()
	relay.Wait()
	close(done)
	polling.Wait()
	fmt.Printf("%d calls, %d packets/s: %.2f µs CPU a packet, %.0f %% of a processor, %d of %d lost\n", *calls, int(packets) / *seconds,
		float64(cpu1-cpu0)/float64(packets), float64(cpu1-cpu0)/float64(*seconds)/1e4, sent.Load()-got.Load(), sent.Load())
	fmt.Printf("RSS %.1f kB a call (idle %.1f MB), %.4f allocations a packet\n", float64(rss1-idle)/1024/float64(*calls), float64(idle)/1e6,
		float64(mal1-mal0)/float64(packets))
	if !*recode && len(delays) > 0 {
		slices.Sort(delays)
		at := func(q float64) time.Duration { return delays[int(q*float64(len(delays)-1))] }
		fmt.Printf("delay p50 %v, p99 %v, p99.9 %v, max %v\n", at(.5), at(.99), at(.999), at(1))
	}
}

func listen() (fd int, addr string) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	check(err)
	check(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
	check(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(fd)
	check(err)
	return fd, fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
}

func sockaddr(s string) unix.Sockaddr {
	a := netip.MustParseAddrPort(s)
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

func cpu() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rss() (bytes int64) {
	var size, pages int64
	b, err := os.ReadFile("/proc/self/statm")
	check(err)
	fmt.Sscan(string(b), &size, &pages)
	return pages * int64(os.Getpagesize())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
