package pbx

// Menu is a number whose callers say by keys where their call goes.
type Menu struct {
	Number        string            `json:"number"`
	Name          string            `json:"name"`
	Enabled       bool              `json:"enabled"`
	Prompt        string            `json:"prompt,omitempty"`         // name of a prompt, or of several with commas between; "": that an extension may be dialled
	Keys          map[string]string `json:"keys,omitempty"`           // what is typed: "1", "12", "*"; and the number that it calls
	DialExtension bool              `json:"dial_extension,omitempty"` // the number of an extension may be typed, too
	Seconds       int               `json:"seconds,omitempty"`        // to wait for the first key after the prompt; 0: 5
	Tries         int               `json:"tries,omitempty"`          // how often the caller is asked; 0: 3
	Timeout       string            `json:"timeout,omitempty"`        // number that is called when the last time nothing was typed; "": the call ends
	Invalid       string            `json:"invalid,omitempty"`        // the same when what was typed leads nowhere
	Set           Set               `json:"set,omitzero"`
}

// Defaults and bounds of a Menu.
const (
	DefaultMenuSeconds = 5
	DefaultMenuTries   = 3
	MaxMenuSeconds     = 60
	MaxMenuTries       = 10
)
