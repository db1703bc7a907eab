//go:build !linux

package media

import (
	"errors"
	"net"
	"net/netip"
)

// Elsewhere than on Linux each socket is read by a goroutine of its own.

type (
	poller  struct{}
	rawAddr struct{}
)

var errNoPoller = errors.New("no epoll on this system")

func newPoller(e *Engine, _ int, _ int64) (*poller, error) {
	e.listen = func(at netip.AddrPort) (PacketConn, error) {
		network := "udp4"
		if at.Addr().Is6() {
			network = "udp6"
		}
		return net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	}
	return nil, nil
}

func (p *poller) open(netip.AddrPort, bool, int) (*socket, error) { return nil, errNoPoller }
func (p *poller) add(rtp, rtcp *socket) error                     { return errNoPoller }
func (p *poller) count(*EngineStats)                              {}
func (p *poller) stop()                                           {}

func (r *rawAddr) set(netip.AddrPort) {}

func sendTo(int, []byte, *rawAddr) bool { return false }
func closeFD(int)                       {}
func fileLimit() int                    { return 4096 }
