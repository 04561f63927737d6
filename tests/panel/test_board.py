from concentrator.panel.board import VirtualBoard


def test_everything_is_off_until_it_is_set():
    board = VirtualBoard()
    assert (board.relay(1), board.volts(), board.input(1)) == (False, 0.0, False)
    board.set_relay(1, True)
    board.set_volts(3.5)
    assert (board.relay(1), board.relay(2), board.volts()) == (True, False, 3.5)


def test_an_input_is_told_of_when_it_changes_and_only_then():
    board, told = VirtualBoard(), []
    board.watch(lambda number, is_closed: told.append((number, is_closed)))
    board.set_input(2, False)
    board.set_input(2, True)
    board.set_input(2, True)
    board.set_input(2, False)
    assert told == [(2, True), (2, False)]
    assert not board.input(2)
