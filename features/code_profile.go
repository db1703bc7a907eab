package features

// DefaultProfile is the one of an office that names none.
const DefaultProfile = "ringback"

// profiles are the codes by which services are reached unless an office has changed them: service → code.
var profiles = map[string]map[string]string{
	// As FreePBX has them, where it has them.
	DefaultProfile: {
		"forward_always_on":     "*72",
		"forward_always_off":    "*73",
		"forward_busy_on":       "*90",
		"forward_busy_off":      "*91",
		"forward_no_answer_on":  "*52",
		"forward_no_answer_off": "*53",
		"do_not_disturb_on":     "*78",
		"do_not_disturb_off":    "*79",
		"call_waiting_on":       "*70",
		"call_waiting_off":      "*71",
		"find_me_toggle":        "*21",
		"day_night":             "*28",
		"block":                 "*30",
		"unblock":               "*31",
		"block_last_caller":     "*32",
		"hide_number_once":      "*67",
		"return_call":           "*69",
		"redial":                "*870",
		"speed_dial":            "*0",
		"my_mailbox":            "*97",
		"any_mailbox":           "*98",
		"leave_message":         "*99",
		"echo":                  "*43",
		"my_number":             "*65",
		"clock":                 "*60",
	},
	// github.com/fusionpbx/fusionpbx at c7a00dcb, app/dialplans/resources/switch/conf/dialplan: 060_redial, 070_speed_dial,
	// 270_call_privacy, 280_call_return, 310_send_to_voicemail, 320_vmain, 330_vmain_user, 350_echo, 490_do-not-disturb, 500_call-forward, 510_follow-me. It has no codes for
	// forwards when busy or unanswered, call waiting and blocking; its call flows (day/night) have the code that each is given.
	"fusionpbx": {
		"forward_always_on":     "*72",
		"forward_always_off":    "*73",
		"forward_always_toggle": "*74",
		"do_not_disturb_toggle": "*77",
		"do_not_disturb_on":     "*78",
		"do_not_disturb_off":    "*79",
		"find_me_toggle":        "*21",
		"hide_number_once":      "*67",
		"return_call":           "*69",
		"redial":                "*870",
		"speed_dial":            "*0",
		"my_mailbox":            "*97",
		"any_mailbox":           "*98",
		"leave_message":         "*99",
		"echo":                  "*9196",
	},
	// github.com/mikopbx/Core at e26e6b97: resources/db/mikopbx.db, table m_DialplanApplications (000063), and
	// src/Core/System/Upgrade/Releases/UpdateConfigsUpToVer2020162.php (10003246). The codes of its general settings
	// (PbxSettingsDefaultValuesTrait.php) are pickup, parking, transfer and voicemail (VoicemailExten); it has none for what a subscriber
	// switches.
	"mikopbx": {
		"my_number":  "000063",
		"echo":       "10003246",
		"my_mailbox": "*001",
	},
}
