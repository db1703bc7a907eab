package features

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ringback/pbx"
)

func TestCheckCodes(t *testing.T) {
	for name, c := range map[string]struct {
		codes pbx.FeatureCodes
		taken string
		want  string // of the sentence; "": nothing is wrong
	}{
		"defaults":            {},
		"fusionpbx":           {codes: pbx.FeatureCodes{Profile: "fusionpbx"}},
		"mikopbx":             {codes: pbx.FeatureCodes{Profile: "mikopbx"}},
		"unknown profile":     {pbx.FeatureCodes{Profile: "asterisk"}, "", `no profile of feature codes named "asterisk"; there are fusionpbx, mikopbx, ringback.`},
		"unknown service":     {pbx.FeatureCodes{Changed: map[string]string{"coffee": "*1"}}, "", `no service named "coffee"`},
		"unknown, off":        {pbx.FeatureCodes{Changed: map[string]string{"coffee": ""}}, "", `no service named "coffee"`},
		"another code":        {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*600"}}},
		"switched off":        {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": ""}}},
		"a new one":           {codes: pbx.FeatureCodes{Changed: map[string]string{"forward_unreachable_on": "*92"}}},
		"swapped":             {codes: pbx.FeatureCodes{Changed: map[string]string{"block": "*31", "unblock": "*30"}}},
		"freed":               {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*65", "my_number": ""}}},
		"twice":               {pbx.FeatureCodes{Changed: map[string]string{"echo": "*65"}}, "", "The code *65 is that of two services, echo and my_number."},
		"letters":             {pbx.FeatureCodes{Changed: map[string]string{"echo": "*x"}}, "", `The code "*x" (echo) has characters other than`},
		"letters inside":      {pbx.FeatureCodes{Changed: map[string]string{"echo": "*x1"}}, "", `has characters other than`},
		"a space":             {pbx.FeatureCodes{Changed: map[string]string{"echo": "* 1"}}, "", "has characters other than"},
		"lower case":          {pbx.FeatureCodes{Changed: map[string]string{"echo": "*a"}}, "", "has characters other than"},
		"A to D":              {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "#ABCD"}}},
		"eight":               {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*6999999"}}},
		"nine":                {pbx.FeatureCodes{Changed: map[string]string{"echo": "*99999999"}}, "", "The code of echo is longer than 8 characters."},
		"a digit first":       {pbx.FeatureCodes{Changed: map[string]string{"redial": "5"}}, "", ""},
		"digit and argument":  {pbx.FeatureCodes{Changed: map[string]string{"block": "30"}}, "", "The code 30 (block) must not begin with a digit"},
		"begins a code":       {pbx.FeatureCodes{Changed: map[string]string{"echo": "*721"}}, "", "The code *721 (echo) could also be *72 (forward_always_on) followed by 1."},
		"is begun":            {pbx.FeatureCodes{Changed: map[string]string{"speed_dial": "*8"}}, "", "The code *870 (redial) could also be *8 (speed_dial) followed by 70."},
		"both with argument":  {pbx.FeatureCodes{Changed: map[string]string{"block": "*7", "forward_always_on": "*72"}}, "", "could also be *7 (block) followed by"},
		"begun by a star":     {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*72*1"}}},
		"begun by a letter":   {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*72A"}}},
		"begins, no argument": {codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*", "my_number": "*7"}}},
		"taken":               {pbx.FeatureCodes{}, "*65", "The code *65 (my_number) is a number in use."},
		"taken, mikopbx":      {pbx.FeatureCodes{Profile: "mikopbx"}, "000063", "The code 000063 (my_number) is a number in use."},
		"taken, but off":      {pbx.FeatureCodes{Changed: map[string]string{"my_number": ""}}, "*65", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckCodes(&pbx.Office{Codes: c.codes}, func(number string) bool { return number == c.taken })
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if err := CheckCodes(new(pbx.Office), nil); err != nil {
		t.Error(err)
	}
}

func TestIsCode(t *testing.T) {
	off := &pbx.Office{Codes: pbx.FeatureCodes{Changed: map[string]string{"redial": ""}}}
	for _, c := range []struct {
		office *pbx.Office
		number string
		want   bool
	}{
		{new(pbx.Office), "*78", true}, {new(pbx.Office), "*780", false}, {new(pbx.Office), "*721000", true}, {new(pbx.Office), "*72", true},
		{new(pbx.Office), "*72a", false}, {new(pbx.Office), "*72*1", false}, {new(pbx.Office), "*72+49", true},
		{new(pbx.Office), "1000", false}, {new(pbx.Office), "", false}, {new(pbx.Office), "*870", true}, {off, "*870", false},
		{&pbx.Office{Codes: pbx.FeatureCodes{Profile: "mikopbx"}}, "000063", true},
		{&pbx.Office{Codes: pbx.FeatureCodes{Profile: "nonsense"}}, "*78", false},
		{new(pbx.Office), "*72" + strings.Repeat("1", 32), true}, {new(pbx.Office), "*72" + strings.Repeat("1", 33), false},
	} {
		if got := IsCode(c.office, c.number); got != c.want {
			t.Errorf("%s with %+v: %v", c.number, c.office.Codes, got)
		}
	}
}

// TestCodeTables: what the tables say holds together.
func TestCodeTables(t *testing.T) {
	var names []string
	for _, s := range codeServices {
		if s.text == "" || s.plan == nil || strings.Trim(s.name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("service %q", s.name)
		}
		names = append(names, s.name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(codeServices) {
		t.Error("a service is there twice")
	}
	for profile, codes := range profiles {
		for _, name := range slices.Sorted(maps.Keys(codes)) {
			if _, known := slices.BinarySearch(names, name); !known {
				t.Errorf("profile %s has a code of %s, which is no service", profile, name)
			}
		}
		if got := Codes(&pbx.Office{Codes: pbx.FeatureCodes{Profile: profile}}); len(got) != len(codes) {
			t.Errorf("profile %s has %d codes, of which %d are in force", profile, len(codes), len(got))
		}
	}
	if got := fmt.Sprint(Codes(&pbx.Office{Codes: pbx.FeatureCodes{Profile: "mikopbx", Changed: map[string]string{"echo": "*43"}}})); got !=
		"[{*001 my_mailbox  hear one's messages} {*43 echo  hear oneself} {000063 my_number  hear one's own number}]" {
		t.Error(got)
	}
}
