package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// fileTime is how long a file may take on its way.
const fileTime = 2 * time.Minute

// upload sends a WAV file; "-" is standard input.
func (c *client) upload(ctx context.Context, path, name string) error {
	file := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		file = f
	}
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	res, err := c.send(ctx, http.MethodPut, path, "audio/wav", file)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// fetch makes a file of what is at path; "-" is standard output. A file that is there already stays as it is; what has not arrived
// whole is not left.
func (c *client) fetch(ctx context.Context, path, name string) (err error) {
	res, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if name == "-" {
		_, err = io.Copy(c.out, res.Body)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, res.Body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s did not arrive whole: %w", name, err), os.Remove(name))
	}
	return nil
}
