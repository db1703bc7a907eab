package pbx_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// talking is a call from 1000 to a number, answered.
func (r *rig) talking(to string) (alice, bob *pbxtest.Party) {
	r.Helper()
	phone := r.Register(to, pbxtest.Answer(0))
	alice = r.Call("1000", to)
	r.told(alice, "200", time.Second)
	synctest.Wait()
	return alice, phone.Last()
}

// both checks what each of two hears.
func (r *rig) both(alice *pbxtest.Party, she string, bob *pbxtest.Party, he string) {
	r.Helper()
	synctest.Wait()
	r.hears(alice, she)
	r.hears(bob, he)
}

// RFC 5359 §2.1 and §2.3.
func TestWhoIsHeldHearsMusic(t *testing.T) {
	with(t, nil, func(r *rig) {
		alice, bob := r.talking("1001")
		r.both(alice, "1001", bob, "1000")
		bob.Hold(true)
		r.both(alice, "music", bob, "")
		time.Sleep(10 * time.Minute)
		r.both(alice, "music", bob, "")
		bob.Hold(false)
		r.both(alice, "1001", bob, "1000")
		alice.Hold(true)
		r.both(alice, "", bob, "music")
		alice.Hold(false)
		r.both(alice, "1001", bob, "1000")
		bob.Hold(true)
		alice.Bye()
		r.both(alice, "", bob, "")
	})
}

func TestBothHold(t *testing.T) {
	with(t, nil, func(r *rig) {
		alice, bob := r.talking("1001")
		alice.Hold(true)
		bob.Hold(true)
		r.both(alice, "", bob, "")
		alice.Hold(false)
		r.both(alice, "music", bob, "")
		alice.Hold(true)
		r.both(alice, "", bob, "")
		bob.Hold(false)
		r.both(alice, "", bob, "music")
		alice.Hold(false)
		r.both(alice, "1001", bob, "1000")
		bob.Bye()
	})
}

func TestMusicIsOfTheClassOfWhoHolds(t *testing.T) {
	with(t, nil, func(r *rig) {
		alice, bob := r.talking("1005")
		bob.Hold(true)
		r.both(alice, "music:spring", bob, "")
		bob.Hold(false)
		alice.Hold(true)
		r.both(alice, "", bob, "music")
		bob.Bye()
	})
}

// The class of a caller, who has no contact of his own number in his plan.
func TestMusicOfACaller(t *testing.T) {
	with(t, nil, func(r *rig) {
		phone := r.Register("1001", pbxtest.Answer(0))
		caller := r.Call("1005", "1001")
		r.told(caller, "200", time.Second)
		synctest.Wait()
		caller.Hold(true)
		r.both(caller, "", phone.Last(), "music:spring")
		caller.Bye()
	})
}

// RFC 5359 §2.2: the consultation is a call of its own.
func TestConsultationHold(t *testing.T) {
	with(t, nil, func(r *rig) {
		alice, bob := r.talking("1001")
		carol := r.Register("1002", pbxtest.Answer(0))
		bob.Hold(true)
		consult := r.Call("1001", "1002")
		r.told(consult, "200", time.Second)
		r.both(consult, "1002", carol.Last(), "1001")
		r.both(alice, "music", bob, "")
		consult.Hold(true)
		r.both(consult, "", carol.Last(), "music")
		bob.Hold(false)
		r.both(alice, "1001", bob, "1000")
		consult.Bye()
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
	})
}

// A phone may hold before its call is put through, and answer on hold.
func TestHoldBeforeTheAnswer(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(time.Second))
		alice := r.Call("1000", "1001")
		r.told(alice, "180", time.Second)
		alice.Hold(true)
		r.told(alice, "200", 2*time.Second)
		r.both(alice, "", bob.Last(), "music")
		alice.Hold(false)
		r.both(alice, "1001", bob.Last(), "1000")
		alice.Bye()
	})
}

func TestOtherCodecsWhileHeldDoNotEndTheMusic(t *testing.T) {
	with(t, nil, func(r *rig) {
		phone := r.Register("1001", pbxtest.Answer(0))
		phone.Codecs = []media.Codec{media.PCMU, g729}
		alice := r.Call("1000", "1001", media.PCMU, g729)
		r.told(alice, "200", time.Second)
		bob := phone.Last()
		synctest.Wait()
		bob.Hold(true)
		bob.Reoffer(g729) // the one who holds
		r.both(alice, "music", bob, "")
		alice.Reoffer(media.PCMU) // the one who is held
		r.both(alice, "music", bob, "")
		if told := alice.Told(); told[len(told)-1] != "200 PCMU G729" {
			t.Errorf("asked for codecs while held: %q", told)
		}
		bob.Hold(false)
		r.told(alice, "renegotiate G729", time.Second)
		alice.Bye()
	})
}

// Desk phones speak G.722 with one another.
func TestMusicInG722(t *testing.T) {
	with(t, nil, func(r *rig) {
		phone := r.Register("1001", pbxtest.Answer(0))
		phone.Codecs = []media.Codec{media.G722}
		alice := r.Call("1000", "1001", media.G722)
		r.told(alice, "200 G722", time.Second)
		bob := phone.Last()
		synctest.Wait()
		bob.Hold(true)
		r.both(alice, "music", bob, "")
		bob.Hold(false)
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
	})
}

// A codec that the PBX cannot make: no music, and nothing is asked of anybody.
func TestNoMusicInACodecOfThePhonesOnly(t *testing.T) {
	opus := media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}
	with(t, nil, func(r *rig) {
		phone := r.Register("1001", pbxtest.Answer(0))
		phone.Codecs = []media.Codec{opus}
		alice := r.Call("1000", "1001", opus)
		r.told(alice, "200", time.Second)
		bob := phone.Last()
		synctest.Wait()
		bob.Hold(true)
		r.both(alice, "1001", bob, "1000") // what a phone that holds sends by itself
		bob.Hold(false)
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
	})
}

func TestNoMusicWithoutPrompts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := pbxtest.NewLine()
		sb := pbx.New(pbx.Options{Line: line, Journal: &journal{}, Directory: directory{}, Route: func(c *pbx.Call) pbx.Target { return pbx.Ring(c.Dialled, 20*time.Second) }})
		line.Exchange = sb
		phone := line.Register("1001", pbxtest.Answer(0))
		alice := line.Call("1000", "1001")
		synctest.Wait()
		phone.Last().Hold(true)
		if alice.Hears() != "1001" {
			t.Errorf("%q", alice.Hears())
		}
		alice.Bye()
		synctest.Wait()
		sb.Close()
	})
}

// Who hears what follows from who holds, whatever came before, also codecs, and in whatever goroutines.
func TestHearingFollowsFromWhoHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		with(t, nil, func(r *rig) {
			alice, bob := r.talking("1005")
			party := [2]*pbxtest.Party{alice, bob}
			music := [2]string{"music", "music:spring"}
			var held [2]bool
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				var at sync.WaitGroup
				for i := range party { // each phone does what it does in order, both at a time
					todo := rapid.SliceOfN(rapid.IntRange(0, 2), 0, 4).Draw(rt, "todo")
					for _, do := range todo {
						if do < 2 {
							held[i] = do == 1
						}
					}
					at.Go(func() {
						for _, do := range todo {
							if do == 2 {
								party[i].Reoffer(media.PCMA, media.PCMU)
							} else {
								party[i].Hold(do == 1)
							}
						}
					})
				}
				at.Wait()
				synctest.Wait()
				for i, p := range party {
					want := ""
					switch other := 1 - i; {
					case held[other] && !held[i]:
						want = music[other]
					case !held[i] && !held[other]:
						want = party[other].Number
					}
					if got := p.Hears(); got != want {
						rt.Errorf("%s hears %q, want %q; held: %v", p.Number, got, want, held)
					}
				}
			}
			party[rapid.IntRange(0, 1).Draw(rt, "who hangs up")].Bye()
			synctest.Wait()
			if alice.Hears() != "" || bob.Hears() != "" {
				rt.Errorf("after the call they hear %q and %q", alice.Hears(), bob.Hears())
			}
		})
	})
}

// What happens while music is being fetched counts, and not the music that is then begun.
func TestHoldWhileHoldIsUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		do      func(alice, bob *pbxtest.Party)
		she, he string
	}{
		"the other holds too":              {func(alice, _ *pbxtest.Party) { alice.Hold(true) }, "", ""},
		"he takes her back":                {func(_, bob *pbxtest.Party) { bob.Hold(false) }, "1001", "1000"},
		"one after the other":              {func(alice, bob *pbxtest.Party) { alice.Hold(true); bob.Hold(false) }, "", "music"},
		"she holds, and he has new codecs": {func(alice, bob *pbxtest.Party) { alice.Hold(true); bob.Reoffer(media.PCMA) }, "", ""},
		"she hangs up":                     {func(alice, _ *pbxtest.Party) { alice.Bye() }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line := pbxtest.NewLine()
				var meanwhile func()
				sb := pbx.New(pbx.Options{Line: line, Journal: &journal{}, Directory: directory{},
					Route: func(c *pbx.Call) pbx.Target { return pbx.Ring(c.Dialled, 20*time.Second) },
					Prompt: func(name string) media.Sound {
						if do := meanwhile; do != nil {
							meanwhile = nil
							do()
						}
						return prompt(name)
					}})
				line.Exchange = sb
				phone := line.Register("1001", pbxtest.Answer(0))
				alice := line.Call("1000", "1001")
				synctest.Wait()
				bob := phone.Last()
				meanwhile = func() { c.do(alice, bob) }
				bob.Hold(true)
				synctest.Wait()
				if alice.Hears() != c.she || bob.Hears() != c.he {
					t.Errorf("they hear %q and %q, want %q and %q", alice.Hears(), bob.Hears(), c.she, c.he)
				}
				alice.Bye()
				synctest.Wait()
				sb.Close()
			})
		})
	}
}

// A call that ends while its hold is under way leaves nobody with music.
func TestHangUpWhileHolding(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		with(t, nil, func(r *rig) {
			alice, bob := r.talking("1001")
			var at sync.WaitGroup
			for range rapid.IntRange(1, 4).Draw(rt, "holds") {
				p, on := rapid.SampledFrom([]*pbxtest.Party{alice, bob}).Draw(rt, "who"), rapid.Bool().Draw(rt, "on")
				at.Go(func() { p.Hold(on) })
			}
			who := rapid.SampledFrom([]*pbxtest.Party{alice, bob}).Draw(rt, "who hangs up")
			at.Go(who.Bye)
			at.Wait()
			synctest.Wait()
			if alice.Hears() != "" || bob.Hears() != "" {
				rt.Errorf("after the call they hear %q and %q", alice.Hears(), bob.Hears())
			}
		})
	})
}
