package media

import "ringback/media/quality"

// inwardSample is what the estimate of how the phone's speech arrives here is made from. The lock is held.
func (s *Stream) inwardSample(st *Stats) quality.Sample {
	return quality.Sample{Codec: st.Codec, Received: st.PacketsIn, Lost: st.LostIn, Gaps: s.rx.gaps,
		Jitter: st.JitterIn, RoundTrip: st.RoundTrip, Packet: s.terms.PTime}
}

// outwardSample is the same of speech that goes to the phone; empty before the phone has reported on it. What the other
// side's phone lost is in it, because sequence numbers are passed on with their gaps. The lock is held.
func (s *Stream) outwardSample(st *Stats) quality.Sample {
	lost := min(st.LostOut, s.reports.of)
	return quality.Sample{Codec: s.sends(), Received: s.reports.of - lost, Lost: lost,
		Jitter: st.JitterOut, RoundTrip: st.RoundTrip, Packet: s.terms.PTime}
}

// sends names the codec last sent to the phone. The lock is held.
func (s *Stream) sends() (name string) {
	for _, f := range s.terms.Formats {
		if f.IsEvent() || f.IsComfortNoise() {
			continue
		}
		if f.SendPT == s.tx.pt {
			return f.Name
		}
		if name == "" {
			name = f.Name
		}
	}
	return name
}
