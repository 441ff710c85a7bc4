import Files
import Foundation
import Model
import Testing
