// Package pbxtest has the other ends of calls, for tests and for `ringback demo`:
//
//   - Phone, a desk phone with its own SIP and RTP code, over sockets or package memnet, which complains of
//     everything that a picky phone would not accept; it subscribes, and has a lamp;
//   - Line and Party, phones without SIP that follow a script, for tests of call control in virtual time;
//   - MailServer, which takes e-mail; Recording, by which a WAV file is measured;
//   - package real, drivers for baresip and sipp.
//
// It never imports pbx/line: with a shared stack, a mistake would be made at both ends and not be seen.
package pbxtest
