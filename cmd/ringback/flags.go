package main

import "strings"

// settingFlags are the settings that have a flag of their own, and --set for all others.
type settingFlags struct {
	Config          string            `short:"c" placeholder:"FILE" env:"RINGBACK_CONFIG" help:"Configuration file; otherwise config.toml of the working directory, if there is one."`
	Data            *string           `placeholder:"DIR" help:"Data directory."`
	SIPListen       []string          `name:"sip-listen" sep:"none" placeholder:"ADDR:PORT" help:"SIP over UDP and TCP; udp:// or tcp:// for one of them. May be repeated."`
	SIPTLSListen    []string          `name:"sip-tls-listen" sep:"none" placeholder:"ADDR:PORT" help:"SIP over TLS. May be repeated."`
	SIPTLSCert      *string           `name:"sip-tls-certificate" placeholder:"FILE" help:"PEM file."`
	SIPTLSKey       *string           `name:"sip-tls-key" placeholder:"FILE" help:"PEM file."`
	SIPTLSSelf      bool              `name:"sip-tls-self-signed" help:"Make and use a self-signed certificate."`
	HTTPListen      []string          `name:"http-listen" sep:"none" placeholder:"ADDR:PORT" help:"REST API. May be repeated."`
	RTPPorts        *string           `name:"rtp-ports" placeholder:"FROM-TO" help:"UDP ports for sound."`
	ExternalAddress []string          `name:"external-address" sep:"none" placeholder:"IP" help:"What phones outside are told, behind NAT."`
	Realm           *string           `placeholder:"TEXT" help:"Realm of SIP passwords."`
	LogLevel        *string           `name:"log-level" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat       *string           `name:"log-format" placeholder:"FORMAT" help:"text or json."`
	Set             map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Any setting of config.example.toml, such as registrar.max_expires=2h."`
}

func (f *settingFlags) sources(environ func(string) string) sources {
	given := map[string]string{}
	for k, v := range f.Set {
		given[k] = v
	}
	for key, v := range map[string]*string{"data": f.Data, "sip.tls_certificate": f.SIPTLSCert, "sip.tls_key": f.SIPTLSKey,
		"rtp.ports": f.RTPPorts, "realm": f.Realm, "log.level": f.LogLevel, "log.format": f.LogFormat} {
		if v != nil {
			given[key] = *v
		}
	}
	for key, v := range map[string][]string{"sip.listen": f.SIPListen, "sip.tls_listen": f.SIPTLSListen, "http.listen": f.HTTPListen,
		"external_address": f.ExternalAddress} {
		if v != nil {
			given[key] = strings.Join(v, ",")
		}
	}
	if f.SIPTLSSelf {
		given["sip.tls_self_signed"] = "true"
	}
	return sources{file: f.Config, environ: environ, flags: given}
}
