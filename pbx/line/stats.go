package line

import "ringback/pbx/line/transaction"

// Transactions are the counters of the transaction layer. They may be read at any time.
func (l *Line) Transactions() transaction.Stats { return l.tx.Stats() }
