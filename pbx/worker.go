package pbx

import (
	"context"
	"time"
)

// plan is a call whose plan is to be carried out.
type plan struct {
	ctx  context.Context
	call *Call
}

// workerWaits is how long a goroutine waits for another plan.
const workerWaits = time.Second

// begin carries out a plan in a goroutine of its own, one that has done so before if there is one: its stack has grown already,
// which costs a new one a thirtieth of a call.
func (s *Switchboard) begin(p plan) {
	select {
	case s.waiting <- p:
	default:
		go s.work(p)
	}
}

func (s *Switchboard) work(p plan) {
	idle := time.NewTimer(workerWaits)
	defer idle.Stop()
	for {
		s.run(p.ctx, p.call)
		p = plan{}
		idle.Reset(workerWaits)
		select {
		case p = <-s.waiting:
		case <-idle.C:
			return
		case <-s.base.Done():
			return
		}
	}
}
