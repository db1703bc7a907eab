package tone

import (
	"fmt"
	"slices"
	"strings"
)

// Plan is the tones of a country's network. Confirmation and Information end, the others go on for ever.
type Plan struct {
	Country      string
	Dial         Tone
	Ringing      Tone
	Busy         Tone
	Congestion   Tone // no way to the called party; also "reorder"
	Information  Tone // special information tone: something else than busy or congestion, often an announcement follows
	Confirmation Tone // what was asked for was done
	CallWaiting  Tone
}

// level is that of a tone, ITU-T E.180/Q.35: -10±5; a frequency of two is 3 dB below.
const (
	level = -10.0 // dBm0
	pair  = level - 3
)

// DefaultCountry is that of the tones that E.180 recommends.
const DefaultCountry = "eu"

// Frequencies and cadences are those of ITU-T E.180 Supplement 2 (Various tones used in national networks), where no
// other source is named.
var plans = func() []Plan {
	all := []Plan{eu(), us(), uk(), de(), cn(), kr(), ru(), jp()}
	for i := range all {
		p := &all[i]
		p.Information = information(information330, 1000)
		if p.Confirmation.Segments == nil { // three bursts of the dial tone, as Telcordia GR-506 has them
			p.Confirmation = cadence(p.Dial.Segments[0].Partials, 100, 100).Repeated(3)
		}
	}
	return all
}()

// Of gives a country's plan: "us", "uk", "de", "cn", "kr", "ru", "jp", or "eu" for what E.180 and ETSI recommend, in
// either case; "" is DefaultCountry. The error lists them.
func Of(country string) (Plan, error) {
	if country == "" {
		country = DefaultCountry
	}
	for _, p := range plans {
		if strings.EqualFold(p.Country, country) {
			return p, nil
		}
	}
	return Plan{}, fmt.Errorf("tone: no tones of country %q; there are %s", country, strings.Join(Countries(), ", "))
}

// Countries are those that Of knows, in order.
func Countries() (all []string) {
	for _, p := range plans {
		all = append(all, p.Country)
	}
	slices.Sort(all)
	return all
}

// information330 is the length of each of the three tones in milliseconds, E.180/Q.35: 330±70.
const information330 = 330

// information is the special information tone: 950, 1400 and 1800 Hz in that order, then silence.
func information(each, silence int) Tone {
	const quieter = level - 3 // within what E.180 allows; it is the shrillest of all
	return Tone{Times: 1, Segments: []Segment{on(sine(quieter, 950), each), on(sine(quieter, 1400), each),
		on(sine(quieter, 1800), each), off(silence)}}
}

// What E.180/Q.35 recommends, in the middle of the ranges it allows, as ETSI TR 101 041-2 lists it for Europe.
func eu() Plan {
	tone := sine(level, 425)
	return Plan{
		Country:     "eu",
		Dial:        steady(tone),
		Ringing:     cadence(tone, 1000, 4000),
		Busy:        cadence(tone, 500, 500),
		Congestion:  cadence(tone, 200, 200),
		CallWaiting: cadence(tone, 200, 600, 200, 3000),
	}
}

// The precise tone plan of North America (ITU-T E.300 series, Supplement 3), with its levels.
func us() Plan {
	return Plan{
		Country:     "us",
		Dial:        steady(sine(-13, 350, 440)),
		Ringing:     cadence(sine(-19, 440, 480), 2000, 4000),
		Busy:        cadence(sine(-24, 480, 620), 500, 500),
		Congestion:  cadence(sine(-24, 480, 620), 250, 250),
		CallWaiting: cadence(sine(-13, 440), 300, 9700),
	}
}

// BT SIN 350.
func uk() Plan {
	tone := sine(level, 400)
	return Plan{
		Country:     "uk",
		Dial:        steady(sine(pair, 350, 440)),
		Ringing:     cadence(sine(pair, 400, 450), 400, 200, 400, 2000),
		Busy:        cadence(tone, 375, 375),
		Congestion:  cadence(tone, 400, 350, 225, 525),
		CallWaiting: cadence(tone, 100, 4000),
	}
}

func de() Plan {
	tone := sine(level, 425)
	return Plan{
		Country:     "de",
		Dial:        steady(tone),
		Ringing:     cadence(tone, 1000, 4000),
		Busy:        cadence(tone, 480, 480),
		Congestion:  cadence(tone, 240, 240),
		CallWaiting: cadence(tone, 200, 200, 200, 5000),
	}
}

func cn() Plan {
	tone := sine(level, 450)
	return Plan{
		Country:     "cn",
		Dial:        steady(tone),
		Ringing:     cadence(tone, 1000, 4000),
		Busy:        cadence(tone, 350, 350),
		Congestion:  cadence(tone, 700, 700),
		CallWaiting: cadence(tone, 400, 4000),
	}
}

func kr() Plan {
	return Plan{
		Country:     "kr",
		Dial:        steady(sine(pair, 350, 440)),
		Ringing:     cadence(sine(pair, 440, 480), 1000, 2000),
		Busy:        cadence(sine(pair, 480, 620), 500, 500),
		Congestion:  cadence(sine(pair, 480, 620), 300, 200),
		CallWaiting: cadence(sine(pair, 350, 440), 250, 250, 250, 3250),
	}
}

func ru() Plan {
	tone := sine(level, 425)
	return Plan{
		Country:     "ru",
		Dial:        steady(tone),
		Ringing:     cadence(tone, 800, 3200),
		Busy:        cadence(tone, 350, 350),
		Congestion:  cadence(tone, 175, 175),
		CallWaiting: cadence(tone, 200, 5000),
	}
}

// In Japan busy and congestion are one tone; ringing is modulated.
func jp() Plan {
	tone, warble := sine(level, 400), modulated(level, 400, 16, 0.85)
	return Plan{
		Country:     "jp",
		Dial:        steady(tone),
		Ringing:     cadence(warble, 1000, 2000),
		Busy:        cadence(tone, 500, 500),
		Congestion:  cadence(tone, 500, 500),
		CallWaiting: cadence(warble, 500, 8000),
	}
}
