package store

import (
	"time"
)

// committer is the goroutine that owns the segments. Nothing else writes to disk but Answered.
type committer struct {
	j        *Journal
	promises []byte // spare buffers, swapped with the queue's
	waiting  []func(error)
	endings  []byte

	committed  time.Time // when promises were last made good
	rotated    time.Time
	every      time.Duration // between checkpoints
	failing    bool          // the disk refused the last write: said once
	endingsDue <-chan time.Time
}

func (c *committer) run() {
	tick := time.NewTicker(min(syncEvery, c.every))
	defer tick.Stop()
	c.rotated = time.Now()
	for {
		select {
		case <-c.j.wake:
			c.woken()
		case <-c.endingsDue:
			c.endingsDue = nil
			c.commit()
		case <-tick.C:
			c.commit() // what failed is tried again
			if c.j.dirty.Load() {
				c.report(c.sync())
			}
			if time.Since(c.rotated) >= c.every {
				c.report(c.rotate())
			}
		case reply := <-c.j.flushes:
			err := c.commit()
			if err == nil {
				err = c.rotate()
			}
			reply <- err
		case <-c.j.quit:
			c.finish()
			return
		}
		if c.j.written() >= maxSegment {
			c.report(c.rotate())
		}
	}
}

// woken commits promises at once if none were lately, else with all others that come within commitEvery. Endings
// alone have time.
func (c *committer) woken() {
	q := &c.j.queue
	q.Lock()
	promises, much := len(q.waiting) > 0, len(q.endings) > keepBuffer
	q.Unlock()
	if promises {
		if d := commitEvery - time.Since(c.committed); d > 0 {
			time.Sleep(d)
		}
	}
	if promises || much {
		c.commit()
	} else if c.endingsDue == nil {
		c.endingsDue = time.After(endingsEvery)
	}
}

// commit writes all that is queued and makes the promises good. The error is that of the endings, which stay queued.
func (c *committer) commit() error {
	j, q := c.j, &c.j.queue
	q.Lock()
	promises, waiting, endings := q.promises, q.waiting, q.endings
	q.promises, q.waiting, q.endings = c.promises[:0], c.waiting[:0], c.endings[:0]
	q.Unlock()

	var failed error
	if len(endings) > 0 {
		seal(endings, j.active.salt)
		if failed = j.write(endings, false); failed != nil {
			q.Lock() // they are tried again, in front of what came since
			endings, q.endings = q.endings, append(endings, q.endings...)
			q.Unlock()
		}
		c.report(failed)
	}
	if len(promises) > 0 {
		seal(promises, j.active.salt)
		err := j.write(promises, false)
		if err == nil {
			err = c.sync()
		}
		if err == nil {
			j.count.commits.Add(1)
			j.count.promises.Add(uint64(len(waiting)))
		}
		c.report(err)
		c.committed = time.Now()
		for i, done := range waiting {
			waiting[i] = nil
			done(err)
		}
	}
	c.promises, c.endings = spare(promises), spare(endings)
	if c.waiting = waiting[:0]; cap(waiting) > 8192 {
		c.waiting = nil
	}
	return failed
}

func spare(b []byte) []byte {
	if cap(b) > keepBuffer {
		return nil
	}
	return b[:0]
}

// sync makes what was written durable. After a failed fsync the kernel may have thrown the pages away and call the
// next one a success, so the journal goes on in a new file.
func (c *committer) sync() error {
	c.j.dirty.Store(false) // before: what is written meanwhile is dirty
	err := c.j.active.file.Sync()
	if err != nil {
		c.j.count.failed.Add(1)
		c.j.dirty.Store(true)
		_ = c.rotate()
	}
	return err
}

// rotate begins a new segment and hands the old one to the checkpointer.
func (c *committer) rotate() error {
	j := c.j
	if c.rotated = time.Now(); j.written() == segmentHeader {
		return nil
	}
	next, err := j.newSegment(j.active.number + 1)
	if err != nil {
		return err
	}
	j.mu.Lock()
	old := j.active
	j.active = next
	j.mu.Unlock()
	return c.retire(old)
}

// retire gives a segment to the checkpointer. It is made durable first, because its way through the database takes
// longer than an answer may stay in the page cache.
func (c *committer) retire(old *segment) error {
	err := old.file.Sync()
	_ = old.file.Close()
	c.j.retired.Lock()
	c.j.retired.names = append(c.j.retired.names, old.name)
	c.j.retired.Unlock()
	select {
	case c.j.drained <- struct{}{}:
	default:
	}
	return err
}

func (c *committer) finish() {
	c.report(c.commit())
	c.j.mu.Lock()
	old := c.j.active
	c.j.active = nil
	c.j.mu.Unlock()
	if old.size > segmentHeader || old.ragged {
		c.report(c.retire(old))
		return
	}
	_ = old.file.Close()
	c.report(c.j.files.Remove(old.name))
}

// report says when the disk begins to fail and when it works again, not each time.
func (c *committer) report(err error) {
	switch {
	case err != nil && !c.failing:
		c.failing = true
		c.j.log.Error("the journal cannot be written: registrations are refused and call records wait in memory until it can", "error", err)
	case err == nil && c.failing:
		c.failing = false
		c.j.log.Info("the journal can be written again")
	}
}
