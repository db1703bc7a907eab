package pbx

import (
	"strings"
)

// Node is a target as data, with everything below it: what people are shown of a plan, and what Simulate works on.
type Node struct {
	Type   string `json:"type"`             // "ring", "else", "fork", "in order", "hunt", "when", "divert", "refuse" …
	Text   string `json:"text"`             // one line, as Target.String
	Reason string `json:"reason,omitempty"` // why it is part of the plan: "forward always, set by 1000 on 2 March 2026"
	On     []Kind `json:"on,omitempty"`     // of a branch of an else: the outcomes that lead here
	If     string `json:"if,omitempty"`     // of a branch of a when: "open", "closed"
	Chosen bool   `json:"chosen,omitempty"` // of a branch of a when: what it comes to at the time of the plan
	Then   []Node `json:"then,omitempty"`   // what is below, in order
	Target Target `json:"-"`                // that the node was made from
}

// Text is the plan of a target as a tree: a line a node, two spaces a level.
func Text(t Target) string {
	var b strings.Builder
	b.Grow(256)
	writeNode(&b, t.Node(), 0)
	return b.String()
}

// Text is n as a tree: a line a node, two spaces a level.
func (n Node) String() string {
	var b strings.Builder
	writeNode(&b, n, 0)
	return b.String()
}

func writeNode(b *strings.Builder, n Node, depth int) {
	for range depth {
		b.WriteString("  ")
	}
	if len(n.On) > 0 {
		b.WriteString("on ")
		for i, k := range n.On {
			if i > 0 {
				b.WriteString(" or ")
			}
			b.WriteString(k.String())
		}
		b.WriteString(": ")
	}
	if n.If != "" {
		b.WriteString("if ")
		b.WriteString(n.If)
		if n.Chosen {
			b.WriteString(" (now)")
		}
		b.WriteString(": ")
	}
	b.WriteString(n.Text)
	if n.Reason != "" {
		b.WriteString(" [")
		b.WriteString(n.Reason)
		b.WriteByte(']')
	}
	b.WriteByte('\n')
	for _, below := range n.Then {
		writeNode(b, below, depth+1)
	}
}
