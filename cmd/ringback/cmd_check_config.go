package main

import (
	"fmt"
	"reflect"
)

type checkConfigCmd struct{ settingFlags }

func (x *checkConfigCmd) Run(a app) error {
	l, err := load(x.sources(a.environ))
	if err != nil {
		return err
	}
	c := &client{app: a}
	return c.print(nil, func(t *table) {
		for _, s := range l.settings() {
			from := l.from[s.key]
			if from == "" {
				from = "default"
			}
			value := fmt.Sprint(s.value.Interface())
			if s.value.Kind() == reflect.Slice {
				value = value[1 : len(value)-1]
			}
			if s.secret && value != "" {
				value = "(set)"
			}
			t.row(s.key, from, value)
		}
	})
}
