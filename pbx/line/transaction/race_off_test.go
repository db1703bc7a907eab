//go:build !race

package transaction

const raceOn = false
