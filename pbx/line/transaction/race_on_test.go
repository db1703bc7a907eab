//go:build race

package transaction

const raceOn = true // memory is not what it is
