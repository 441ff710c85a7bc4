import Model

/// Who may look at the pages and act there.
public struct WebSettings: Sendable, Equatable {
    /// WEB_TOKEN: who has it may read and act; nil: there is none.
    public var token: Secret?
    /// WEB_READ_TOKEN: who has it may read; nil: there is none.
    public var readToken: Secret?
    /// WEB_ALLOWED_HOSTS: names under which the server is reached, beside its own.
    public var allowedHosts: [String]

    /// Nobody guesses a token of this many characters.
    private static let shortestToken = 16

    init(_ variables: Variables) {
        token = WebSettings.token(variables, .webToken)
        readToken = WebSettings.token(variables, .webReadToken)
        allowedHosts = []
        if let token, token == readToken {
            variables.fault(.webReadToken, "must be another token than WEB_TOKEN: who has it may only read")
        }
        guard let text = variables.text(.webAllowedHosts) else { return }
        let names = text.split { $0 == "," || $0 == " " }.map(String.init)
        for name in names where HostName.parse(name) == nil || name.contains("*") {
            variables.fault(.webAllowedHosts, "must be host names with commas between them, such as farm.example.org")
            return
        }
        allowedHosts = names.compactMap(HostName.parse)
    }

    /// The folder that uploads are written to, which workers must be able to read.
    static func uploadFolder(_ variables: Variables, imageRoot: String?) -> String? {
        guard let text = variables.text(.webUploadFolder) else { return imageRoot }
        let folder = PathText.absolute(SmallFile.resolve(text, in: variables.workingDirectory))
        if let imageRoot, folder != imageRoot, PathText.path(of: folder, below: imageRoot) == nil {
            variables.fault(.webUploadFolder, "must be below IMAGE_ROOT (\(imageRoot)): workers read nothing elsewhere")
            return nil
        }
        return folder
    }

    /// A token goes into a header, so it holds no blanks or other signs that a header cannot carry.
    private static func token(_ variables: Variables, _ variable: Variable) -> Secret? {
        guard let token = variables.secret(variable) else { return nil }
        let bytes = token.reveal().utf8
        guard bytes.count >= shortestToken, bytes.count <= 1000, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            variables.fault(
                variable,
                "must be \(shortestToken) to 1000 characters of ASCII without blanks: openssl rand -hex 32 makes one")
            return nil
        }
        return token
    }
}
