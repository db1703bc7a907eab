package speech

// asteriskSets finds the set of each language in a directory: dir/en, dir/en_US_f_Allison, or, if dir is a set itself, dir
// for the language that is spoken where none is asked for.
func asteriskSets(dir, language string) map[string]string {
	return nil
}

func (l *library) fromAsterisk(set, language, name string) [][]int16 {
	return nil
}
