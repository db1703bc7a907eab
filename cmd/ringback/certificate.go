package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// certificate is what TLS shows. It can be exchanged while connections live.
type certificate struct {
	now atomic.Pointer[tls.Certificate]
}

// config is the TLS configuration of the listeners, nil if there are none.
func (c *certificate) config(cfg *Config) (*tls.Config, error) {
	if len(cfg.SIP.TLSListen) == 0 {
		return nil, nil
	}
	if err := c.load(cfg); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12, // RFC 8996
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil },
	}, nil
}

// load reads the files that the settings name. On an error the old certificate stays.
func (c *certificate) load(cfg *Config) error {
	cert, key := cfg.SIP.TLSCertificate, cfg.SIP.TLSKey
	if cfg.SIP.TLSSelfSigned {
		cert, key = filepath.Join(cfg.Data, "tls.crt"), filepath.Join(cfg.Data, "tls.key")
		if _, err := os.Stat(cert); errors.Is(err, fs.ErrNotExist) {
			if err := selfSign(cert, key); err != nil {
				return fmt.Errorf("no self-signed certificate can be made: %w", err)
			}
		}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("the TLS certificate %s with the key %s cannot be used: %w", cert, key, err)
	}
	c.now.Store(&pair)
	return nil
}

// selfSign writes a certificate for this machine's names and addresses, valid for ten years.
func selfSign(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Ringback, self-signed"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, DNSNames: []string{"localhost"},
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		template.DNSNames = append(template.DNSNames, host)
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			template.IPAddresses = append(template.IPAddresses, n.IP)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	// the certificate last: where it is, the key is
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
